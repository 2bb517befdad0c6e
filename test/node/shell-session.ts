import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A command block of a document, and the lines that the document says it prints. */
export interface DocumentedBlock {
  readonly commands: string;
  readonly expected: readonly string[];
}

/**
 * Returns the `sh` blocks of a Markdown document in order. A `text` block that follows is what the one before it prints.
 * Blocks in other languages are ignored.
 */
export function commandBlocks(markdown: string): readonly DocumentedBlock[] {
  const blocks: DocumentedBlock[] = [];
  for (const [, language, body = ""] of markdown.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gmu)) {
    const previous = blocks.at(-1);
    if (language === "sh") blocks.push({ commands: body, expected: [] });
    if (language === "text" && previous)
      blocks.splice(-1, 1, { ...previous, expected: body.trim().split("\n") });
  }
  return blocks;
}

/** What a session of commands printed: its exit code, and the output of each block that ran. */
export interface SessionResult {
  readonly code: number | null;
  readonly outputs: readonly string[];
}

/**
 * Runs blocks of commands in one bash session, as a reader does who copies them one after the other, in a folder of its own. It stops at the first
 * command that fails. Variables and functions last from block to block.
 */
export async function runSession(
  blocks: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Promise<SessionResult> {
  const folder = await mkdtemp(join(tmpdir(), "session-"));
  try {
    const file = (index: number) => join(folder, `output-${index}`);
    const script = blocks.map((commands, index) => `exec >"${file(index)}" 2>&1\n${commands}`).join("\n");
    await writeFile(join(folder, "session.sh"), `set -eo pipefail\n${script}`);

    const { PATH = "", HOME = "" } = process.env;
    const env = { PATH, HOME, ...variables } as Record<string, string> as NodeJS.ProcessEnv;
    const child = spawn("bash", ["session.sh"], { cwd: folder, env, stdio: "ignore" });
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", resolve);
    });
    const outputs = await Promise.all(
      blocks.map((_, index) => readFile(file(index), "utf8").catch(() => "")),
    );
    return { code, outputs };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Returns the lines that do not occur in an output, in their order. `…` in a line stands for any text. */
export function missingLines(output: string, expected: readonly string[]): readonly string[] {
  let from = 0;
  return expected.filter((line) => {
    const pattern = line
      .split("…")
      .map((part) => RegExp.escape(part))
      .join(".*?");
    const found = new RegExp(pattern, "u").exec(output.slice(from));
    if (!found) return true;
    from += found.index + found[0].length;
    return false;
  });
}
