import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect } from "vitest";
import { createPageServices } from "../../src/deps/knowledge.ts";
import { portsFrom } from "../../src/deps/ports.ts";
import { createRepositories } from "../../src/deps/repositories.ts";
import type { KnowledgeBaseRef } from "../../src/knowledge/model.ts";
import type { NewPage } from "../../src/knowledge/page-model.ts";
import { type CrawlJobId, crawlJobIdOf, type KnowledgeBaseId } from "../../src/shared/id-types.ts";
import type { Item } from "../../src/table/marshal.ts";
import { type Answer, type Client, table } from "./app.ts";

/** Creates a knowledge base of this account. */
export async function createBase(client: Client, name = "Handbook"): Promise<KnowledgeBaseRef> {
  const { status, body } = await client("POST", "/knowledge-bases", { name });
  if (status !== 201) throw new Error(`Creating a knowledge base failed: ${JSON.stringify(body)}`);
  return { accountEmail: client.email, kbId: body.kb_id as KnowledgeBaseId };
}

/** The services that store pages and reserve them, as crawl jobs use them. */
export async function pageServices() {
  const ports = await portsFrom(env);
  return createPageServices(ports, createRepositories(ports));
}

/** A page as a crawl has read it. */
export const pageAt = (path: string, markdown: string, more: Partial<NewPage> = {}): NewPage => ({
  url: `https://example.com${path}`,
  fileName: null,
  title: `Page ${path}`,
  description: null,
  language: "en",
  markdown,
  etag: null,
  lastModified: null,
  ...more,
});

export const newJobId = (): CrawlJobId => crawlJobIdOf(crypto.randomUUID());

/** The items of a knowledge base, by the beginning of their sort keys. */
export const storedIn = ({ kbId }: KnowledgeBaseRef, prefix = ""): Promise<readonly Item[]> =>
  table.query(`KnowledgeBase#${kbId}`, prefix === "" ? {} : { range: { beginsWith: prefix } });

/** The item of the base itself. */
export const storedBase = ({ accountEmail, kbId }: KnowledgeBaseRef): Promise<Item | undefined> =>
  table.get({ pk: `User#${accountEmail}`, sk: `KnowledgeBase#${kbId}` });

/** How many pages the index of a base has, without making it read any. */
const indexedPages = ({ kbId }: Pick<KnowledgeBaseRef, "kbId">): Promise<number> =>
  runInDurableObject(env.DOCUMENT_INDEX.getByName(kbId), (_, { storage }) => {
    const tables = storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'pages'").toArray();
    if (tables.length === 0) return 0;
    return storage.sql.exec<{ n: number }>("SELECT COUNT(*) AS n FROM pages").one().n;
  });

/** Waits until a base has so many indexed pages, and its index has nothing left to do. Nobody needs to search. */
export async function untilIndexed(base: Pick<KnowledgeBaseRef, "kbId">, pages: number): Promise<void> {
  await expect.poll(() => indexedPages(base)).toBe(pages);
  const alarm = () =>
    runInDurableObject(env.DOCUMENT_INDEX.getByName(base.kbId), (_, { storage }) => storage.getAlarm());
  await expect.poll(alarm).toBeNull();
}

/** How many pages are counted for an account this month. */
export async function pagesUsed(email: string): Promise<unknown> {
  const month = new Date().toISOString().slice(0, 7);
  const item = await table.get({ pk: `User#${email}`, sk: `Usage#${month}` });
  return item?.["kb_pages_used"] ?? 0;
}

const VOWELS = "aeiouAEIOU";

/** Text that gzip cannot make much shorter, and that no search for a word with a vowel finds: it has digits instead of vowels. */
export function incompressible(bytes: number): string {
  let text = "";
  while (text.length < bytes) {
    const random = crypto.getRandomValues(new Uint8Array(6_000));
    text += `${btoa(String.fromCharCode(...random))}\n`;
  }
  return text.slice(0, bytes).replaceAll(/[aeiou]/giu, (vowel) => String(VOWELS.indexOf(vowel)));
}

/** A file to upload. */
export interface TestFile {
  readonly name: string;
  readonly content: string | Uint8Array<ArrayBuffer>;
  readonly type?: string;
}

/** Uploads files to a knowledge base as a browser does. */
export async function upload(
  client: Client,
  kbId: string,
  files: readonly TestFile[],
  field = "file",
): Promise<Answer> {
  const form = new FormData();
  for (const { name, content, type = "" } of files) form.append(field, new File([content], name, { type }));
  return sendForm(client, kbId, new Response(form));
}

/** Uploads a body that the test has written itself. */
export const sendForm = async (client: Client, kbId: string, form: Response): Promise<Answer> => {
  const contentType = form.headers.get("content-type") ?? "";
  const sent = await client.raw("POST", `/knowledge-bases/${kbId}/uploads`, undefined, {
    body: await form.arrayBuffer(),
    headers: { "content-type": contentType },
  });
  const { response } = sent;
  const text = await response.text();
  await sent.ended();
  return { status: response.status, headers: response.headers, body: text === "" ? "" : JSON.parse(text) };
};
