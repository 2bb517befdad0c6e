import { afterEach, expect, it } from "vitest";
import { anonymous, type Client, signUp, signUpFree, table } from "../support/app.ts";
import { databaseRequests, endFaults, injectFault } from "../support/control.ts";
import { problem } from "../http/route-cases.ts";
import { fill, scan } from "./plant.ts";

afterEach(endFaults);

type Line = Record<string, unknown>;

const parse = (text: string): Line[] => {
  expect(text.endsWith("\n")).toBe(true);
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);
};

async function exportOf(client: Client) {
  const { status, headers, body } = await client("GET", "/users/me/export");
  expect(status).toBe(200);
  return { headers, text: body as string, lines: parse(body as string) };
}

/** A stored item as its owner gets it: without what is secret. */
function expected(item: Record<string, unknown>): Line {
  const secrets = [
    "password_hash",
    "password_salt",
    "refresh_token",
    "encrypted_credentials",
    "token_hash",
    "key_hash",
  ];
  const old = ["public_key", "gsi2_pk", "agent_provider_api_key"];
  const isLookUp = /^ApiKey#[0-9a-f]{64}$/u.test(String(item["pk"]));
  const left = Object.entries(item).filter(
    ([name]) => ![...secrets, ...old, ...(isLookUp ? ["pk", "sk"] : [])].includes(name),
  );
  const type = item["entity_type"] ?? String(item["sk"]).split("#")[0];
  return JSON.parse(
    JSON.stringify({ ...Object.fromEntries(left), type }, (_name, value: unknown) => {
      if (value instanceof Set) return [...value];
      return value instanceof Uint8Array ? "AQID" : value;
    }),
  ) as Line;
}

const byKey = (lines: readonly Line[]): Line[] =>
  lines.toSorted((a, b) => (keyText(a) < keyText(b) ? -1 : 1));

const keyText = ({ pk, sk, type }: Line): string => JSON.stringify([pk, sk, type]);

it("holds every item of the account, whole but for secrets, and nothing else", async () => {
  const [{ client, traces, secrets }] = await Promise.all([fill(await signUp()), fill(await signUp())]);
  const stored = (await scan(...traces)).filter(({ sk }) => !String(sk).startsWith("Expired#"));

  const { headers, text, lines } = await exportOf(client);

  expect(headers.get("content-type")).toBe("application/x-ndjson");
  expect(headers.get("cache-control")).toBe("no-store");
  expect(headers.get("content-disposition")).toContain("attachment");
  const items = lines.slice(1, -1);
  expect(byKey(items)).toEqual(byKey(stored.map(expected)));
  expect(stored.length).toBeGreaterThan(45);
  expect(lines[0]).toEqual({
    type: "export",
    version: 1,
    account: client.email,
    created_at: expect.stringMatching(/^20.*\+00:00$/u),
  });
  expect(lines.at(-1)).toEqual({ type: "end", items: items.length });
  for (const secret of secrets) expect(text).not.toContain(secret);
});

it("is made as it is read, and no further", async () => {
  const client = await signUpFree();
  const text = "x".repeat(200_000);
  const puts = Array.from({ length: 30 }, (_, n) => ({
    put: { pk: `User#${client.email}`, sk: `Future#${n}`, text },
  }));
  await table.batchWrite(puts);
  const queries = async () =>
    (await databaseRequests(client.email)).filter(({ operation }) => operation === "Query").length;

  const opened = await client.raw("GET", "/users/me/export");
  const reader = opened.response.body?.getReader();
  await reader?.read();
  const atFirst = await queries();
  await reader?.read();
  await new Promise((resolve) => setTimeout(resolve, 200));
  const early = await queries();
  await reader?.cancel();
  await opened.ended();
  await new Promise((resolve) => setTimeout(resolve, 200));

  expect(atFirst).toBeLessThanOrEqual(1);
  expect(early).toBeLessThanOrEqual(3);
  expect(await queries()).toBe(early);
  expect((await exportOf(client)).lines.at(-1)).toEqual({ type: "end", items: 31 });
});

it.each([
  ["at once", 0],
  ["half-way", 3],
])("that breaks off %s ends with the error, and never with its end", async (_case, after) => {
  const { client } = await fill(await signUp());
  const fault = {
    kind: "answer",
    status: 500,
    body: { __type: "x#InternalServerError", message: "Inner" },
  } as const;
  await injectFault({ match: [client.email], operation: "Query", after, times: 100, fault });

  const { text, lines } = await exportOf(client);

  expect(lines[0]?.["type"]).toBe("export");
  expect(lines.at(-1)).toEqual({
    type: "error",
    code: "unavailable",
    detail: "The database is not answering at the moment. Please try again.",
    retryable: true,
  });
  expect(lines.filter(({ type }) => type === "end")).toEqual([]);
  expect(text).not.toContain("Inner");
});

it("is for nobody without an active account", async () => {
  const { status, body } = await anonymous("GET", "/users/me/export");

  expect(status).toBe(401);
  expect(body).toEqual(problem(401, "unauthenticated", "Missing or invalid authorization header"));
});

it("of a new account holds the account", async () => {
  const client = await signUpFree();

  const { lines } = await exportOf(client);

  expect(lines.map(({ type }) => type)).toEqual(["export", "User", "end"]);
  expect(lines[1]).toMatchObject({ email: client.email, status: "active" });
});
