import { Hono } from "hono";
import * as z from "zod";
import type { AppEnv } from "../access/env.ts";
import { publicAccess } from "../access/require-access.ts";
import { webPage } from "../http/openapi.ts";
import { anyQuery } from "../http/query-names.ts";
import { validate } from "../http/validate.ts";
import { serveAsset } from "./assets.ts";
import { servePlayground } from "./playground.ts";

const AssetParam = z.object({ file: z.string().regex(/^[\w.-]{1,100}$/u) });

/** Pages of other sites load it again after five minutes, so that they get a new version soon. */
const WIDGET = { cache: "public, max-age=300", isShared: true } as const;

/**
 * What browsers load: the files of pages, the pages on which a sign-in ends if people are led back to this service, and the one to which MCP
 * clients send their person. The playground reads the request from the address, and asks.
 */
export const pageRoutes = new Hono<AppEnv>()
  .get("/login", webPage, anyQuery(), publicAccess, servePlayground)
  .get("/login-success", webPage, anyQuery(), publicAccess, servePlayground)
  .get("/oauth/authorize", webPage, anyQuery(), publicAccess, servePlayground)
  .get("/widget.js", webPage, anyQuery(), publicAccess, (c) => serveAsset(c, "/widget.js", WIDGET))
  .get("/assets/:file", webPage, anyQuery(), publicAccess, validate("param", AssetParam), (c) =>
    serveAsset(c, `/assets/${c.req.valid("param").file}`),
  );
