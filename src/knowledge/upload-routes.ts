import { Hono } from "hono";
import * as z from "zod";
import { validateBasePath } from "../access/base-path.ts";
import { limitBursts } from "../access/burst-limit.ts";
import type { AppEnv } from "../access/env.ts";
import { requireAccess } from "../access/require-access.ts";
import { written, writtenAs } from "../access/written.ts";
import { maxBody } from "../http/middleware/body-limit.ts";
import { type Part, readMultipart } from "../http/multipart.ts";
import { multipartBody, operation } from "../http/openapi.ts";
import { invalidInput } from "../shared/errors.ts";
import { activeBase } from "./active-base.ts";
import { displayedFileName } from "./file-name.ts";
import { BaseParam } from "./schemas.ts";
import type { UploadedFile } from "./upload-service.ts";
import { toUploadsView, UploadsReference, UploadsView } from "./view.ts";

/** The largest request, in bytes. */
const MAX_UPLOAD_BYTES = 10 * 1024 * 1024;
/** Files are read one after the other, and a request should not take longer than people wait. */
const MAX_FILES = 20;

const WrittenUploads = writtenAs(UploadsView, UploadsReference);

/** Documents the body; `uploadedFile` checks it. */
const Files = z
  .strictObject({ file: z.array(z.string().meta({ format: "binary" })).max(MAX_FILES) })
  .meta({ id: "NewUploads" });

export const uploadRoutes = new Hono<AppEnv>().post(
  "/:kbId/uploads",
  operation("uploadFiles", { 201: WrittenUploads, 207: WrittenUploads }),
  maxBody(MAX_UPLOAD_BYTES),
  requireAccess("user", "knowledge:write"),
  limitBursts("costly"),
  validateBasePath(BaseParam),
  multipartBody(Files),
  async (c) => {
    const base = await activeBase(c, c.req.valid("param").kbId);
    const body = new Uint8Array(await c.req.arrayBuffer());
    const parts = readMultipart(body, c.req.header("content-type"), MAX_FILES);
    if (parts.length === 0) throw invalidFile("file is required.");

    const results = await c.var.deps.uploadService.upload(base, parts.map(uploadedFile));
    const isWhole = results.every(({ status }) => status !== "failed");
    return c.json(written(c, toUploadsView(results), UploadsReference), isWhole ? 201 : 207);
  },
);

/** Throws `validation-failed` if the part is not a file of the field `file`. */
function uploadedFile({ name, fileName, contentType, bytes }: Part): UploadedFile {
  if (name !== "file") throw invalidFile("The field of every file must be called file.");
  if (fileName === null) throw invalidFile("file must be a file with a name.");

  const displayed = displayedFileName(fileName);
  if (displayed === "") throw invalidFile("file must be a file with a name.");
  return { name: displayed, contentType, bytes };
}

const invalidFile = (message: string) => invalidInput("form", [{ path: ["file"], message, code: "custom" }]);
