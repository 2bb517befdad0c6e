import { normalized, sliceWhole } from "../shared/text.ts";

const MAX_CHARS = 200;
/** Characters that turn the direction of text around. In a file name, they could make `gpj.exe` look like `exe.jpg`. */
const DIRECTIONS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/**
 * Returns the name of an uploaded file in a form that is safe to show: without the folders that some browsers send, on one line,
 * without control characters, and not too long. Returns an empty text if nothing is left. Takes linear time.
 */
export function displayedFileName(name: string): string {
  const last = name.slice(Math.max(name.lastIndexOf("/"), name.lastIndexOf("\\")) + 1);
  const line = last
    .toWellFormed()
    .replaceAll(DIRECTIONS, "")
    .replaceAll(/[\s\p{Cc}]+/gu, " ");
  const visible = normalized(line, "NFC").trim();
  return shortened(visible === "." || visible === ".." ? "" : visible);
}

/** Cuts a name before its ending, which says what the file is. */
function shortened(name: string): string {
  if (name.length <= MAX_CHARS) return name;
  const ending = /\.[A-Za-z0-9]{1,10}$/u.exec(name)?.[0] ?? "";
  return `${sliceWhole(name, 0, MAX_CHARS - ending.length)}${ending}`;
}
