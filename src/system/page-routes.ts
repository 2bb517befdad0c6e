import { Hono } from "hono";
import * as z from "zod";
import type { AppEnv } from "../access/env.ts";
import { publicAccess } from "../access/require-access.ts";
import { webPage } from "../http/openapi.ts";
import { anyQuery } from "../http/query-names.ts";
import { validate } from "../http/validate.ts";
import { serveAsset } from "./assets.ts";

const AssetParam = z.object({ file: z.string().regex(/^[\w.-]{1,100}$/u) });

/** What browsers load: the files of pages. */
export const pageRoutes = new Hono<AppEnv>().get(
  "/assets/:file",
  webPage,
  anyQuery(),
  publicAccess,
  validate("param", AssetParam),
  (c) => serveAsset(c, `/assets/${c.req.valid("param").file}`),
);
