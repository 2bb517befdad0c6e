import { utf8 } from "./crypto.ts";

/** Compresses text with gzip (RFC 1952). Equal texts have equal results. */
export const gzip = async (text: string): Promise<Uint8Array<ArrayBuffer>> =>
  piped(utf8(text), new CompressionStream("gzip"));

/** Returns the text of gzip that `gzip` has written. Throws a `TypeError` if the bytes are damaged. */
export async function gunzip(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const unpacked = await piped(bytes, new DecompressionStream("gzip"));
  return new TextDecoder("utf-8", { fatal: false, ignoreBOM: true }).decode(unpacked);
}

async function piped(
  bytes: Uint8Array<ArrayBuffer>,
  through: CompressionStream | DecompressionStream,
): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(through)).arrayBuffer());
}
