import { describe, expect, it } from "vitest";
import { type Answer, type Client, signUp, signUpFree } from "../support/app.ts";
import { createBase, incompressible, pagesUsed, sendForm, storedIn, upload } from "../support/knowledge.ts";
import { setLimits } from "../support/limits.ts";

const handbook = {
  name: "handbook.md",
  content: "# Handbook\n\nWe answer within a day.",
  type: "text/markdown",
};
const png = {
  name: "logo.png",
  content: new Uint8Array([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 0]),
};

async function baseOf(client: Client): Promise<string> {
  return (await createBase(client)).kbId;
}

/** A body of parts that the test has written itself. */
const formOf = (body: string, contentType = "multipart/form-data; boundary=b"): Response =>
  new Response(body, { headers: { "content-type": contentType } });

const part = (disposition: string, content = "Text"): string =>
  `--b\r\nContent-Disposition: ${disposition}\r\n\r\n${content}\r\n`;

it("stores a file as a page with its text", async () => {
  const client = await signUp();
  const kbId = await baseOf(client);

  const { status, body } = await upload(client, kbId, [handbook]);

  expect(status).toBe(201);
  expect(body).toEqual({
    files: [
      {
        file_name: "handbook.md",
        status: "stored",
        page_id: expect.stringMatching(/^[0-9a-f-]{36}$/u),
        title: "Handbook",
        word_count: expect.any(Number),
        warning: null,
        error: null,
      },
    ],
  });
  const path = `/knowledge-bases/${kbId}`;
  expect((await client("GET", path)).body).toMatchObject({ total_pages: 1, total_chunks: 1 });
  const { items } = (await client("GET", `${path}/pages`)).body;
  expect(items).toMatchObject([{ page_id: body.files[0].page_id, url: null, file_name: "handbook.md" }]);
  const page = await client("GET", `${path}/pages/${body.files[0].page_id}`);
  expect(page.body).toMatchObject({ from: 0, next_from: null });
  expect(page.body.markdown).toContain("We answer within a day.");
  expect(await pagesUsed(client.email)).toBe(1);
});

it("has a text that is read part by part without losing a character between two parts", async () => {
  const client = await signUp();
  const kbId = await baseOf(client);
  const content = `x${"🌊".repeat(1_200)}`;
  const { body } = await upload(client, kbId, [{ name: "sea.txt", content }]);
  const path = `/knowledge-bases/${kbId}/pages/${body.files[0].page_id}`;

  let text = "";
  for (let from: number | null = 0; from !== null;) {
    const { body: read }: Answer = await client("GET", `${path}?from=${from}&max_chars=1000`);
    expect(read.from).toBe(text.length);
    text += read.markdown;
    from = read.next_from;
  }

  expect(text.trim()).toBe(content);
});

it("leaves the same file unchanged and replaces another one of the same name", async () => {
  const client = await signUp();
  const kbId = await baseOf(client);
  const [{ body: first }] = [await upload(client, kbId, [handbook])];

  const same = await upload(client, kbId, [handbook]);
  const newer = await upload(client, kbId, [{ ...handbook, content: "# Handbook\n\nWe answer at once." }]);

  expect(same.body.files[0]).toEqual({ ...first.files[0], status: "unchanged" });
  expect(newer.body.files[0]).toMatchObject({ status: "replaced", page_id: first.files[0].page_id });
  expect((await client("GET", `/knowledge-bases/${kbId}`)).body.total_pages).toBe(1);
  expect(await pagesUsed(client.email)).toBe(2);
});

it("stores what can be read of several files, and tells why the others are not stored", async () => {
  const client = await signUp();
  const kbId = await baseOf(client);

  const { status, body } = await upload(client, kbId, [
    handbook,
    png,
    { name: "empty.txt", content: " \n " },
    { name: "prices.csv", content: "name,price\nPen,3\nBook,12\n", type: "text/csv" },
  ]);

  expect(status).toBe(207);
  expect(body.files.map((file: { status: string }) => file.status)).toEqual([
    "stored",
    "failed",
    "failed",
    "stored",
  ]);
  expect(body.files[1]).toMatchObject({
    file_name: "logo.png",
    page_id: null,
    error: { code: "validation-failed", detail: expect.stringMatching(/^Images cannot be read\./u) },
  });
  expect(body.files[2].error.detail).toBe("No readable text: the file is empty.");
  expect((await client("GET", `/knowledge-bases/${kbId}`)).body.total_pages).toBe(2);
  expect(await pagesUsed(client.email)).toBe(2);
});

it("answers with the file's problem if none could be stored, and counts nothing", async () => {
  const client = await signUp();
  const base = await createBase(client);

  const { status, body } = await upload(client, base.kbId, [png]);

  expect([status, body.code]).toEqual([422, "validation-failed"]);
  expect(body.detail).toMatch(/^Images cannot be read\./u);
  expect(await pagesUsed(client.email)).toBe(0);
  expect(await storedIn(base)).toEqual([]);
});

it("refuses a text that does not fit into a page with 413", async () => {
  const client = await signUp();
  const kbId = await baseOf(client);

  const { status, body } = await upload(client, kbId, [
    { name: "noise.txt", content: incompressible(4_500_000) },
  ]);

  expect([status, body.detail]).toEqual([
    413,
    "The file has more text than one page may hold. Divide it into several files.",
  ]);
  expect(await pagesUsed(client.email)).toBe(0);
});

describe("the plan's pages", () => {
  it("are counted exactly if many files arrive at once, and the others get the plan's 429", async () => {
    const client = await signUpFree();
    setLimits("free", { kb_pages: 3 });
    const kbId = await baseOf(client);

    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, index) =>
        upload(client, kbId, [{ ...handbook, name: `page-${index}.md` }]),
      ),
    );

    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      201, 201, 201, 429, 429, 429,
    ]);
    const refused = answers.find(({ status }) => status === 429);
    expect(refused?.body).toMatchObject({
      code: "limit-exceeded",
      detail: "Knowledge base page limit exceeded. 0 pages remaining.",
      limit: 3,
      current: 3,
      remaining: 0,
      tier: "free",
      upgrade_url: "https://app.example.com/pricing",
    });
    expect(refused?.headers.get("ratelimit-policy")).toMatch(/^"kb_pages";q=3/u);
    expect(await pagesUsed(client.email)).toBe(3);
    expect((await client("GET", `/knowledge-bases/${kbId}`)).body.total_pages).toBe(3);
    const usage = (await client("GET", "/usage")).body;
    expect([usage.usage.kb_pages, usage.remaining.kb_pages]).toEqual([3, 0]);
  });

  it("do not matter for a file that is unchanged", async () => {
    const client = await signUpFree();
    setLimits("free", { kb_pages: 1 });
    const kbId = await baseOf(client);
    await upload(client, kbId, [handbook]);

    expect((await upload(client, kbId, [handbook])).status).toBe(201);
    expect((await upload(client, kbId, [{ ...handbook, content: "# Other" }])).status).toBe(429);
    expect((await client("GET", `/knowledge-bases/${kbId}/pages`)).body.items).toHaveLength(1);
  });
});

describe("file names", () => {
  it.each([
    ["C:\\Users\\Ann\\notes.md", "notes.md"],
    ["../../etc/notes.md", "notes.md"],
    ["a\u0007b\t c.md", "a b c.md"],
    ["notes\u202egpj.md", "notesgpj.md"],
    [`${"n".repeat(300)}.md`, `${"n".repeat(197)}.md`],
  ])("are shown without what could mislead: %j", async (sent, shown) => {
    const client = await signUp();
    const kbId = await baseOf(client);

    const form = formOf(`${part(`form-data; name="file"; filename="${sent}"`, "# Notes")}--b--\r\n`);
    const { body } = await sendForm(client, kbId, form);

    expect(body.files[0].file_name).toBe(shown);
  });
});

describe("a body that is not well-formed", () => {
  const file = 'form-data; name="file"; filename="a.md"';
  it.each([
    ["has no boundary", formOf("", "multipart/form-data"), 400],
    ["is JSON", formOf("{}", "application/json"), 400],
    ["has no delimiter", formOf("Text"), 400],
    ["breaks off", formOf(part(file)), 400],
    ["has a part without a name", formOf(`${part("form-data")}--b--`), 400],
    ["has a part that is no form data", formOf(`${part('attachment; name="file"')}--b--`), 400],
    ["has a part without a header", formOf("--b\r\nText\r\n--b--"), 400],
    ["has a very long header", formOf(`${part(`${file}; x=${"x".repeat(9_000)}`)}--b--`), 400],
    ["has no part", formOf("--b--"), 422],
    ["has a field that is no file", formOf(`${part('form-data; name="file"')}--b--`), 422],
    [
      "has a field of another name",
      formOf(`${part('form-data; name="document"; filename="a.md"')}--b--`),
      422,
    ],
    ["has a file without a name", formOf(`${part('form-data; name="file"; filename=""')}--b--`), 422],
    ["has too many parts", formOf(`${part(file).repeat(21)}--b--`), 413],
  ])("is refused if it %s", async (_case, form, expected) => {
    const client = await signUp();
    const kbId = await baseOf(client);

    const { status, body } = await sendForm(client, kbId, form);

    expect([status, body.status]).toEqual([expected, expected]);
    expect((await client("GET", `/knowledge-bases/${kbId}`)).body.total_pages).toBe(0);
  });

  it("is refused with 413 above 10 MB", async () => {
    const client = await signUp();
    const kbId = await baseOf(client);

    const { status, body } = await upload(client, kbId, [
      { name: "a.txt", content: "x".repeat(10 * 1024 * 1024) },
    ]);

    expect([status, body.detail]).toEqual([413, "The body must not exceed 10240 KB."]);
  });
});

it("keeps the bytes of a file that contains line breaks and dashes like a delimiter", async () => {
  const client = await signUp();
  const kbId = await baseOf(client);
  const content = "first\r\n--bee is no delimiter\r\n\r\n--\r\nlast";

  const form = formOf(
    `preamble\r\n${part('form-data; name="file"; filename="a.txt"', content)}--b--\r\nepilogue`,
  );
  const { status, body } = await sendForm(client, kbId, form);

  expect(status).toBe(201);
  const page = await client("GET", `/knowledge-bases/${kbId}/pages/${body.files[0].page_id}`);
  for (const word of ["first", "bee is no delimiter", "last"]) expect(page.body.markdown).toContain(word);
});
