import { existsSync, globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { expect, it } from "vitest";

const PROJECT = join(import.meta.dirname, "../..");
const DOCUMENTS = ["*.md", "bench/*.md", "docs/**/*.md", "examples/**/*.md"];

/** Returns a document without its code blocks, whose brackets are not links and whose comments are not headings. */
const proseOf = async (file: string) =>
  (await readFile(join(PROJECT, file), "utf8")).replaceAll(/^ *```[\s\S]*?^ *```$/gmu, "");

/** Returns the anchors that GitHub makes of the headings of a document. */
const anchorsOf = (prose: string): readonly string[] =>
  [...prose.matchAll(/^#+ (.*)$/gmu)].map(([, heading = ""]) =>
    heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/gu, "$1")
      .trim()
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_\- ]/gu, "")
      .replaceAll(" ", "-"),
  );

it("links from documents to files and headings that exist", async () => {
  const documents = globSync(DOCUMENTS, { cwd: PROJECT });
  const proses = new Map<string, string>();
  for (const document of documents) proses.set(document, await proseOf(document));
  const anchors = new Map([...proses].map(([document, prose]) => [document, anchorsOf(prose)]));

  const broken: string[] = [];
  for (const [document, prose] of proses) {
    for (const [, link = ""] of prose.matchAll(/\]\(([^)\s]+)\)/gu)) {
      if (/^\w+:/u.test(link)) continue;
      const [path = "", anchor] = link.split("#");
      const target = path === "" ? document : normalize(join(dirname(document), path));
      const exists = existsSync(join(PROJECT, target));
      const isMissing =
        !exists || (anchor && target.endsWith(".md") && !anchors.get(target)?.includes(anchor));
      if (isMissing) broken.push(`${document}: ${link}`);
    }
  }

  expect(documents.length).toBeGreaterThan(40);
  expect(broken).toEqual([]);
});
