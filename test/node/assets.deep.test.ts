import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { buildAssets, PLAYGROUND_BUDGET_KB, WIDGET_BUDGET_KB } from "../../scripts/assets.ts";

async function folderFor(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "assets-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

const filesIn = async (folder: string) =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length));

it("builds a page that links to files which exist, within the budget", async () => {
  const folder = await folderFor();

  const { playgroundGzipKb } = await buildAssets(folder);

  const page = await readFile(join(folder, "playground/index.html"), "utf8");
  const links = [...page.matchAll(/(?:src|href)="([^"]+)"/gu)].map(([, path = ""]) => path);
  expect(links).toHaveLength(3);
  expect(await filesIn(folder)).toEqual(expect.arrayContaining(links));
  expect(page).not.toContain("{{");
  expect(playgroundGzipKb).toBeGreaterThan(0);
  expect(playgroundGzipKb).toBeLessThanOrEqual(PLAYGROUND_BUDGET_KB);
  const description = await readFile(join(folder, "openapi.json"), "utf8");
  expect(JSON.parse(description)).toMatchObject({ openapi: "3.1.0" });
});

it("builds the widget as one file that needs no other, within its budget", async () => {
  const folder = await folderFor();

  const { widgetGzipKb } = await buildAssets(folder);

  const script = await readFile(join(folder, "widget.js"), "utf8");
  expect(script).not.toMatch(/\bimport\s*[("{*]|\brequire\(|@import|url\(/u);
  expect(widgetGzipKb).toBeGreaterThan(0);
  expect(widgetGzipKb).toBeLessThanOrEqual(WIDGET_BUDGET_KB);
});

it("leaves files that did not change alone, and removes those of earlier builds", async () => {
  const folder = await folderFor();
  await buildAssets(folder);
  const page = join(folder, "playground/index.html");
  const longAgo = new Date(0);
  await utimes(page, longAgo, longAgo);
  await writeFile(join(folder, "assets/playground-AAAAAAAA.js"), "old");

  await buildAssets(folder);

  expect((await stat(page)).mtimeMs).toBe(0);
  expect(await filesIn(folder)).not.toContain("/assets/playground-AAAAAAAA.js");
});

it("can run several times at once in the same folder", async () => {
  const folder = await folderFor();
  await mkdir(join(folder, "assets"));

  const built = await Promise.all([buildAssets(folder), buildAssets(folder), buildAssets(folder)]);

  expect(new Set(built.map(({ playgroundGzipKb }) => playgroundGzipKb)).size).toBe(1);
  const drafts = (await filesIn(folder)).filter((file) => /\.\d/u.test(file));
  expect(drafts).toEqual([]);
});
