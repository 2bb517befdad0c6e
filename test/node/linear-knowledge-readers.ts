import { readMultipart } from "../../src/http/multipart.ts";
import { displayedFileName } from "../../src/knowledge/file-name.ts";
import { utf8 } from "../../src/shared/crypto.ts";
import { AppError } from "../../src/shared/errors.ts";
import { type HardText, type Reads, repeated } from "./linear.ts";

/** Returns the parts of a body, or its error. */
function partsOf(body: string, boundary = "b") {
  try {
    return readMultipart(utf8(body), `multipart/form-data; boundary=${boundary}`, 20);
  } catch (error) {
    if (error instanceof AppError) return error.message;
    throw error;
  }
}

/** The functions that read what people upload to knowledge bases. */
export const KNOWLEDGE_READERS: Readonly<Record<string, Reads>> = {
  "http/multipart: readMultipart": (text) => [
    partsOf(text),
    partsOf(`--b\r\nContent-Disposition: form-data; name="file"; filename="${text}"\r\n\r\n${text}\r\n--b--`),
    partsOf(`--b\r\n${text}\r\n\r\n\r\n--b--`),
    partsOf(text, text),
  ],
  "knowledge/file-name: displayedFileName": displayedFileName,
};

/** Texts that are hard for one of these functions. */
export const KNOWLEDGE_TEXTS: readonly HardText[] = [
  ["http/multipart: beginnings of a boundary", (text) => partsOf(text, "-".repeat(70)), repeated("\r\n-")],
];
