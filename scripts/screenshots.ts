import { mkdir, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { AgentBuilder } from "../client/src/index.ts";
import { launchChromium, OPEN_ROOTS } from "../test/browser/chromium.ts";

/**
 * `npm run screenshots` takes the pictures of `docs/images/` from a service that `npm run dev` has started. `API_URL` is its address if it is
 * another one, `DEMO_SITE_URL` that of the site with a chat in its corner, `CHROMIUM` the path of the browser.
 */

const PROJECT = join(import.meta.dirname, "..");
const IMAGES = join(PROJECT, "docs/images");
/** Pictures are part of the repository, so they must be small. */
const MAX_BYTES = 150 * 1024;
/** How long a step in the browser may take, in milliseconds. */
const STEP_MS = 60_000;

const HANDBOOK = `# Library handbook

## Opening hours

On weekdays, the library opens at ten and closes at eight in the evening. On Saturdays, it is open until four.

## Lending

Readers may borrow twelve books at a time, for four weeks. A book that nobody waits for can be renewed twice.
`;

await main();

async function main(): Promise<void> {
  const url = process.env["API_URL"] || `http://localhost:${process.env["PORT"] || "8787"}`;
  try {
    const account = await prepare(url);
    await mkdir(IMAGES, { recursive: true });
    const browser = await launchChromium();
    try {
      await takeAll(browser, url, account);
    } finally {
      await browser.close();
    }
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}

/** An account with something to show. */
interface Prepared {
  readonly username: string;
  readonly password: string;
  readonly agentId: string;
  readonly conversationId: string;
}

/** Creates an account with an agent that has talked and remembers, and with a knowledge base. */
async function prepare(url: string): Promise<Prepared> {
  const username = `ada-${Date.now().toString(36)}`;
  const password = crypto.randomUUID();
  const { token } = await new AgentBuilder({ baseUrl: url }).request("POST", "/auth/local/signup", {
    body: { username, password },
  });
  const client = new AgentBuilder({ baseUrl: url, token });

  const { agent_id: agentId } = await client.agents.create({
    agent_name: "Ada",
    agent_architecture: "krishna-memgpt",
    agent_provider: "Demo",
    agent_model: "demo",
    agent_persona: "A librarian who remembers what readers like",
  });
  const { conversation_id: conversationId } = await client.conversations.create({
    title: "First visit",
    agent_id: agentId,
  });
  const agent = client.agents(agentId);
  await agent.memory.create({ name: "reading_list", description: "Books the reader has asked about" });
  await agent.memory
    .block("reading_list")
    .replace(["The Left Hand of Darkness: borrowed in May", "Middlemarch: waiting list"]);
  await agent.archive.add({
    content: "Alice's book club meets on the first Friday of the month, in the reading room.",
  });
  await agent.archive.add({
    content: "Alice has two cats, Tom and Tim. She asked for novels in which cats matter.",
  });

  const { kb_id: kbId } = await client.knowledgeBases.create({ name: "Library handbook" });
  await client.knowledgeBases(kbId).upload([{ name: "handbook.md", content: HANDBOOK }]);
  await agent.linkKnowledgeBase(kbId);

  for (const message of ["My name is Alice and I live in Rome.", "I like detective novels."])
    await agent.send(conversationId, message).text();
  return { username, password, agentId, conversationId };
}

async function takeAll(browser: Browser, url: string, account: Prepared): Promise<void> {
  const chat = `#/chat/${account.agentId}/${account.conversationId}`;
  const large = { viewport: { width: 1360, height: 820 } };

  const page = await open(browser, url, account, large);
  await show(page, chat);
  await send(page, "I work as a teacher.");
  await page.locator('.memory-lines li[data-changed="true"]').first().waitFor();
  await take(page, "playground-memory");

  await page.getByRole("button", { name: "History of human" }).click();
  await page.locator(".memory-diff").waitFor();
  await take(page, "playground-history");
  await page.keyboard.press("Escape");

  await page.getByRole("tab", { name: "Archive" }).click();
  await page.getByLabel("Search memories").fill("cats in novels");
  await page.keyboard.press("Enter");
  await page.locator(".archival-list mark").first().waitFor();
  await send(page, "When does the library open?");
  await take(page, "playground-archive");

  const dark = await open(browser, url, account, { ...large, colorScheme: "dark" });
  await show(dark, chat);
  await dark.getByRole("tab", { name: "Context" }).click();
  await dark.locator(".context-row").first().waitFor();
  await take(dark, "playground-context-dark");

  const phone = { viewport: { width: 390, height: 780 }, deviceScaleFactor: 2 };
  const small = await open(browser, url, account, phone);
  await show(small, "#/agents");
  await small.getByText("Ada", { exact: true }).first().waitFor();
  await show(small, chat);
  await small.getByRole("textbox", { name: /^Message /u }).waitFor();
  await take(small, "playground-phone");

  await takeWidget(browser);
}

/** Takes the chat in the corner of another site. */
async function takeWidget(browser: Browser): Promise<void> {
  const url = process.env["DEMO_SITE_URL"] || `http://localhost:${Number(process.env["PORT"] || "8787") + 2}`;
  const context = await browser.newContext({
    viewport: { width: 1100, height: 720 },
    reducedMotion: "reduce",
    colorScheme: "light",
  });
  context.setDefaultTimeout(STEP_MS);
  await context.addInitScript(OPEN_ROOTS);
  const page = await context.newPage();
  await page.goto(url);
  await page.locator(".launcher").click();
  const box = page.getByRole("textbox");
  for (const message of ["My name is Alice and I like detective novels.", "What do I like to read?"]) {
    await box.fill(message);
    await page.locator(".round:enabled").waitFor();
    await box.press("Enter");
    await page.getByRole("button", { name: "Stop the answer" }).waitFor();
    await page.getByRole("button", { name: "Send" }).waitFor();
  }
  await take(page, "widget");
}

/** Opens the playground, and signs in on its page. */
async function open(
  browser: Browser,
  url: string,
  { username, password }: Prepared,
  options: BrowserContextOptions,
): Promise<Page> {
  const context = await browser.newContext({
    baseURL: url,
    reducedMotion: "reduce",
    colorScheme: "light",
    ...options,
  });
  context.setDefaultTimeout(STEP_MS);
  const page = await context.newPage();
  await page.goto("/");
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByLabel("Name").fill(username);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("heading", { name: "Agents" }).waitFor();
  return page;
}

async function show(page: Page, hash: string): Promise<void> {
  await page.goto(`/${hash}`);
}

/** Sends a message in the chat that is shown, and waits for the end of the answer. */
async function send(page: Page, text: string): Promise<void> {
  await page.getByRole("textbox", { name: /^Message /u }).fill(text);
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByRole("button", { name: "Send" }).waitFor();
}

/** Takes a picture. Throws if it is too large for the repository. */
async function take(page: Page, name: string): Promise<void> {
  await page.locator(".skeleton").first().waitFor({ state: "detached" });
  // The pointer and the focus are not what the picture is about.
  await page.mouse.move(0, 0);
  const path = join(IMAGES, `${name}.png`);
  await page.screenshot({ path, scale: "device" });
  const { size } = await stat(path);
  if (size > MAX_BYTES)
    throw new Error(
      `${name}.png has ${size} bytes; ${MAX_BYTES} are allowed. Show less, or a smaller window.`,
    );
  console.log(`${relative(PROJECT, path)}: ${Math.round(size / 1024)} KB`);
}
