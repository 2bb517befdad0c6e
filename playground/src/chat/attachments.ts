import type { Attachment } from "./thread.ts";

/** The limits of the service (docs/stream-protocol.md, "attachments"), checked here so that no large file is read in vain. */
const MAX_FILES = 5;
const MAX_FILE_BYTES = 100 * 1_024;
const MAX_TOTAL_BYTES = 250 * 1_024;

/** Files that can be sent, and sentences about those that cannot. */
export interface Picked {
  readonly attachments: readonly Attachment[];
  readonly problems: readonly string[];
}

/** The part of a browser's file that is read. */
export interface PickedFile {
  readonly name: string;
  readonly size: number;
  text(): Promise<string>;
}

/** Adds files to those that are attached already. Each one that cannot be sent is named with the reason. */
export async function attach(before: readonly Attachment[], files: readonly PickedFile[]): Promise<Picked> {
  const attachments = [...before];
  const problems: string[] = [];
  for (const file of files) {
    const problem = problemOf(attachments, file);
    const content = problem === undefined ? await readText(file) : undefined;
    if (problem !== undefined) problems.push(problem);
    else if (content === undefined) problems.push(`${file.name} is not a text file.`);
    else attachments.push({ filename: file.name, content, size: file.size });
  }
  return { attachments, problems };
}

function problemOf(attachments: readonly Attachment[], file: PickedFile): string | undefined {
  const total = attachments.reduce((sum, { size }) => sum + size, file.size);
  if (attachments.some(({ filename }) => filename === file.name)) return `${file.name} is attached already.`;
  if (attachments.length >= MAX_FILES)
    return `${file.name} is left out: a message may have ${MAX_FILES} files.`;
  if (file.size > MAX_FILE_BYTES) return `${file.name} has more than 100 KB.`;
  if (total > MAX_TOTAL_BYTES)
    return `${file.name} is left out: together, the files would have more than 250 KB.`;
  return undefined;
}

/** Returns the text of a file, or undefined if it contains bytes that no text has. */
async function readText(file: PickedFile): Promise<string | undefined> {
  try {
    const text = await file.text();
    return /[\0\u{FFFD}]/u.test(text) ? undefined : text;
  } catch {
    // A folder, or a file that has been moved.
    return undefined;
  }
}
