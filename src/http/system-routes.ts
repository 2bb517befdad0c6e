import * as z from "zod";
import { operation } from "./openapi.ts";
import { publicRouter } from "./router.ts";

const Welcome = z.object({ message: z.string() }).meta({ id: "Welcome" });
const Health = z.object({ status: z.literal("healthy") }).meta({ id: "Health" });

/** The same for everybody, and new with each deployment only. */
const PUBLIC = "public, max-age=300";

/** What says that the service is there, and what it can do. */
export const systemRoutes = (openapi: object) =>
  publicRouter()
    .get("/", operation("getRoot", "The name of the service", { 200: Welcome }, { access: "public" }), (c) =>
      c.json({ message: "Dynamic Agent Builder API" }, 200),
    )
    .get(
      "/health",
      operation("getHealth", "Whether the service runs", { 200: Health }, { access: "public" }),
      (c) => c.json({ status: "healthy" } as const, 200),
    )
    .get(
      "/openapi.json",
      operation("getOpenApi", "This description", { 200: "json" }, { access: "public" }),
      (c) => c.json(openapi, 200, { "cache-control": PUBLIC }),
    );
