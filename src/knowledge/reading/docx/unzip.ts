import { Unzip, UnzipInflate } from "fflate";
import { UnreadableDocument } from "../document.ts";

/** Anti-DoS: what the wanted entries of an archive may unpack to, in bytes. The document of a book of 1,000 pages has 20 MB. */
const MAX_UNPACKED_BYTES = 50_000_000;
/** Anti-DoS: deflate packs a thousand bytes into one at best, so that so many bytes unpack to 16 MB before the limit is checked. */
const PART_BYTES = 16_384;

const BROKEN = "The file is damaged: it cannot be unpacked. Save the document again and upload the new file.";
const TOO_LARGE =
  "The document unpacks to more than 50 MB, which is too much to read. Split it into several documents.";

/**
 * Returns the wanted entries of a ZIP archive as text. Throws `UnreadableDocument` if the archive is damaged or unpacks to too
 * much. Stops unpacking at the limit, whatever sizes the archive states.
 */
export function unzipTexts(archive: Uint8Array, wanted: ReadonlySet<string>): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  let left = MAX_UNPACKED_BYTES;

  const unzip = new Unzip((file) => {
    if (!wanted.has(file.name) || texts.has(file.name)) return;
    const decoder = new TextDecoder();
    texts.set(file.name, "");
    file.ondata = (error, bytes, isFinal) => {
      if (error) throw error;
      left -= bytes.byteLength;
      if (left < 0) throw new UnreadableDocument(TOO_LARGE);
      const text = texts.get(file.name) ?? "";
      texts.set(file.name, text + decoder.decode(bytes, { stream: !isFinal }));
    };
    file.start();
  });
  unzip.register(UnzipInflate);

  try {
    for (let at = 0; at < archive.byteLength; at += PART_BYTES)
      unzip.push(archive.subarray(at, at + PART_BYTES), at + PART_BYTES >= archive.byteLength);
  } catch (error) {
    throw error instanceof UnreadableDocument ? error : new UnreadableDocument(BROKEN, { cause: error });
  }
  return texts;
}
