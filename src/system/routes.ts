import { Hono, type TypedResponse } from "hono";
import * as z from "zod";
import { operation } from "../http/openapi.ts";
import { anyQuery } from "../http/query-names.ts";
import type { AppEnv } from "../access/env.ts";
import { publicAccess } from "../access/require-access.ts";
import { serveAsset } from "./assets.ts";
import { servePlayground, prefersPage } from "./playground.ts";

const Welcome = z.object({ message: z.string() }).meta({ id: "Welcome" });
const Health = z.object({ status: z.literal("healthy") }).meta({ id: "Health" });

/** Cacheable for 5 minutes: the document is public and changes only with a deployment. */
const PUBLIC = "public, max-age=300";

/** The members of the OpenAPI document that clients may rely on. */
interface ApiDescription {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly operationId: string }>>>>;
}

/** Public routes: the name, the health and the OpenAPI document of the service. */
export const systemRoutes = new Hono<AppEnv>()
  .get("/", operation("getRoot", { 200: Welcome }), anyQuery(), publicAccess, async (c) => {
    c.header("Vary", "Accept", { append: true });
    if (!prefersPage(c.req.header("accept")))
      return c.json({ message: "Dynamic Agent Builder API" } as const, 200);
    // The cast only hides the page from the type that Hono's typed client reads.
    return (await servePlayground(c)) as Response &
      TypedResponse<{ message: "Dynamic Agent Builder API" }, 200, "json">;
  })
  .get("/health", operation("getHealth", { 200: Health }), anyQuery(), publicAccess, (c) =>
    c.json({ status: "healthy" } as const, 200),
  )
  .get("/openapi.json", operation("getOpenApi", { 200: "json" }), anyQuery(), publicAccess, async (c) => {
    const response = await serveAsset(c, "/openapi.json", { cache: PUBLIC });
    // The cast only adds the type that Hono's typed client reads.
    return response as Response & TypedResponse<ApiDescription, 200, "json">;
  });
