import type { FeatureDocs } from "../http/docs.ts";

/** The texts and examples of the routes about the service itself. */
export const systemDocs: FeatureDocs = {
  operations: {
    getRoot: {
      tag: "Administration",
      summary: "Get the name of the service",
      description:
        "Answers with a fixed sentence. A browser, which prefers `text/html`, gets the playground instead. Use `getHealth` for checks.",
      answers: { 200: { message: "Dynamic Agent Builder API" } },
    },
    getHealth: {
      tag: "Administration",
      summary: "Check whether the service is running",
      description: "For load balancers and monitors. It does not ask the database or any provider.",
      answers: { 200: { status: "healthy" } },
    },
    getOpenApi: {
      tag: "Administration",
      summary: "Get this description",
      description:
        "Returns the OpenAPI 3.1 document of the API. It changes only with a deployment; cache it for 5 minutes.",
      answers: {
        200: { openapi: "3.1.0", info: { title: "Dynamic Agent Builder API", version: "1" }, paths: {} },
      },
    },
  },
  schemas: {
    Welcome: { description: "The name of the service.", fields: { message: "The name of the service." } },
    Health: { description: "The service is running.", fields: { status: "Always `healthy`." } },
  },
};
