import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, expect, it } from "vitest";
import { createChat, openAs, say, showPanel } from "./panels-support.ts";
import { useStand } from "./stand.ts";

/** A site of three pages. The last one is answered when the test says so. */
let answerLast: () => void = () => undefined;
const lastIsAnswered = new Promise<void>((resolve) => (answerLast = resolve));
const site = createServer((request, response) => {
  void (async () => {
    const links: Record<string, string> = {
      "/": '<a href="/a">A</a> <a href="/b">B</a>',
      "/a": "",
      "/b": "",
    };
    const path = request.url ?? "/";
    const link = links[path];
    if (path === "/b") await lastIsAnswered;
    response.writeHead(link === undefined ? 404 : 200, { "content-type": "text/html; charset=utf-8" });
    const text = `This page is about the subject of ${path}, and it has enough words to be worth keeping.`;
    response.end(link === undefined ? "" : `<title>Page ${path}</title><main><p>${text}</p>${link}</main>`);
  })();
});
await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
const siteOrigin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
afterAll(() => {
  answerLast();
  site.closeAllConnections();
  site.close();
});

const stand = useStand({ OUTBOUND_ALLOW: siteOrigin });

const HANDBOOK = "# Handbook\n\n## Vacation\n\nEvery employee has 28 days of vacation a year.\n";

it("answers from an uploaded file, and opens the cited passage", async () => {
  const account = await stand.signUp();
  const { hash } = await createChat(account);
  const page = await openAs(stand, account, "#/knowledge");

  await page.getByRole("button", { name: "New knowledge base" }).click();
  await page.getByRole("dialog").getByLabel("Name").fill("Handbook");
  await page.getByRole("dialog").getByRole("button", { name: "Create knowledge base" }).click();
  await page.getByRole("heading", { name: "Handbook" }).waitFor();
  await page.getByLabel("Choose files").setInputFiles([
    { name: "handbook.md", mimeType: "text/markdown", buffer: Buffer.from(HANDBOOK) },
    {
      name: "logo.png",
      mimeType: "image/png",
      buffer: Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]),
    },
  ]);
  const results = page.getByRole("list", { name: "Uploaded files" });
  await results.getByText("Stored, 13 words").waitFor();
  await results.getByText("Images cannot be read.").waitFor();

  await page.goto(`/${hash}`);
  await showPanel(page, "Knowledge");
  await page.getByRole("switch", { name: "Let the agent search Handbook" }).click({ force: true });
  await expect.poll(() => page.getByRole("switch").isChecked()).toBe(true);
  await say(page, "How many days of vacation does an employee have?");

  await page.getByRole("button", { name: /Handbook.*Vacation/u }).click();
  const passage = page.getByRole("dialog").getByRole("blockquote", { name: "The cited passage" });
  await passage.getByText("28 days of vacation").waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "Read the whole page" }).click();
  await page
    .getByRole("region", { name: "Text of the page" })
    .getByText("Vacation", { exact: true })
    .waitFor();
});

it("searches a knowledge base and marks the words that match", async () => {
  const account = await stand.signUp();
  const { kb_id: kbId } = await account.call<{ kb_id: string }>("POST", "/knowledge-bases", {
    name: "Handbook",
  });
  const page = await openAs(stand, account, `#/knowledge/${kbId}`);
  const file = { name: "handbook.md", mimeType: "text/markdown", buffer: Buffer.from(HANDBOOK) };
  await page.getByLabel("Choose files").setInputFiles(file);
  await page.getByRole("list", { name: "Uploaded files" }).getByText("Stored").waitFor();

  await page.getByRole("tab", { name: "Search" }).click();
  await page.getByLabel("Question").fill("vacation days");
  await page.keyboard.press("Enter");

  await expect.poll(() => page.locator(".knowledge-hit mark").allInnerTexts()).toContain("vacation");
});

it("shows the steps of a crawl while it runs", async () => {
  const account = await stand.signUp();
  const { kb_id: kbId } = await account.call<{ kb_id: string }>("POST", "/knowledge-bases", { name: "Site" });
  const page = await openAs(stand, account, `#/knowledge/${kbId}`);
  await page.getByRole("tab", { name: "Crawls" }).click();
  await page.getByRole("button", { name: "Crawl a site" }).click();
  const dialog = page.getByRole("dialog", { name: "Crawl a site" });
  await dialog.getByLabel("Source Type").selectOption("url");
  await dialog.getByLabel("URL", { exact: true }).fill(`${siteOrigin}/`);
  await dialog.getByRole("button", { name: "Start crawling" }).click();

  // The site holds its last page back, so the job still runs.
  await page.locator('.knowledge-steps li[data-kind="stored"]').first().waitFor();
  expect(await page.getByText("Running", { exact: true }).count()).toBe(1);
  answerLast();
  await page.getByText("Finished. 3 of 3 addresses done, 3 pages.").waitFor();
});
