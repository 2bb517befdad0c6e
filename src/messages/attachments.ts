import * as z from "zod";
import { utf8Length } from "../shared/text.ts";

const MAX_FILES = 5;
const MAX_FILE_BYTES = 100 * 1024;
const MAX_TOTAL_BYTES = 250 * 1024;
const EXTENSIONS = new Set(
  ".txt .md .csv .json .py .js .ts .tsx .jsx .java .go .rs .rb .php .html .css .xml .yaml .yml .sh .sql .c .cpp .h".split(
    " ",
  ),
);

/** A text file attached to a message. `size` is the measured size of the content in UTF-8 bytes. */
export interface Attachment {
  readonly filename: string;
  readonly content: string;
  readonly size: number;
}

const AttachmentInput = z
  .strictObject({
    filename: z.string().trim().min(1).max(255),
    content: z.string(),
    size: z.coerce.number<number | string>().int().min(0).optional(),
  })
  .superRefine(({ filename, content }, context) => {
    const extension = /\.[^.]*$/u.exec(filename.toLowerCase())?.[0] ?? "";
    if (!EXTENSIONS.has(extension)) addIssue(context, `File type '${extension}' not allowed`, "filename");
    if (utf8Length(content) > MAX_FILE_BYTES) addIssue(context, "File exceeds 100KB limit", "content");
  })
  .transform(({ filename, content }): Attachment => ({ filename, content, size: utf8Length(content) }));

/** The files of a message: at most 5 text files of 100 KiB each, 250 KiB in total. Declared sizes are not trusted. */
export const Attachments = z
  .array(AttachmentInput)
  .max(MAX_FILES, { error: "Maximum 5 files allowed" })
  .superRefine((files, context) => {
    const total = files.reduce((sum, { size }) => sum + size, 0);
    if (total > MAX_TOTAL_BYTES) addIssue(context, "Total attachment size exceeds 250KB");
  });

function addIssue(context: z.RefinementCtx, message: string, ...path: string[]): void {
  context.addIssue({ code: "custom", message, path });
}
