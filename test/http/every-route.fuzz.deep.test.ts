import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { speaksJsonRpc } from "../../src/http/json-rpc-error.ts";
import { speaksOAuth } from "../../src/http/oauth-error.ts";
import { speaksOpenAi } from "../../src/http/openai-error.ts";
import { anonymous, type Client, signUp } from "../support/app.ts";
import { expectDescribedProblem } from "./described-problems.ts";
import {
  createPlace,
  methodOf,
  pathOf,
  type Place,
  readerOf,
  type RouteCase,
  ROUTES,
  WITH_BODY,
} from "./route-cases.ts";

/** What an error of the protocol that a path speaks looks like. */
function errorOf(path: string, status: number): { readonly type: string; readonly body: object } {
  const code = { code: expect.any(String) };
  if (speaksOpenAi(path)) return { type: "application/json", body: { error: expect.objectContaining(code) } };
  if (speaksOAuth(path))
    return {
      type: "application/json",
      body: { error: expect.any(String), error_description: expect.any(String) },
    };
  if (speaksJsonRpc(path))
    return {
      type: "application/json",
      body: { jsonrpc: "2.0", error: { code: expect.any(Number), message: expect.any(String) } },
    };
  return { type: "application/problem+json", body: { status, ...code } };
}

/** The account in which routes store the bodies that they accept. */
let client: Client;
let place: Place;
/** An account with little data, for the routes that return all of it in every case. */
let reader: Client;
let readersPlace: Place;
beforeAll(async () => {
  [client, reader] = await Promise.all([signUp(), signUp()]);
  [place, readersPlace] = await Promise.all([createPlace(client), createPlace(reader)]);
});

/** The visitor of the client's page for the routes of visitors, and the client itself for all others. */
const senderOf = (of: Client, route: RouteCase): Client => (route.isForVisitors ? readerOf(of, route) : of);

/** Sends a request, and expects success or a refusal with a code. */
async function expectSense(method: string, path: string, init: RequestInit = {}, sender: Client = client) {
  const sent = await sender.raw(method, path, undefined, init);
  const { response } = sent;
  const text = await response.text();
  await sent.ended();

  // What the tests' environment lacks is refused in a controlled way.
  if (!text.includes('"not-configured"'))
    expect(response.status, `${method} ${path} answered ${text.slice(0, 300)}`).toBeLessThan(500);
  if (response.status >= 400) {
    const { type, body } = errorOf(path, response.status);
    expect(response.headers.get("content-type")).toBe(type);
    expect(JSON.parse(text)).toMatchObject(body);
    expect(text.length).toBeLessThan(20_000);
    expectDescribedProblem(method, path, { body: JSON.parse(text) });
  }
  return response.status;
}

const json = { "content-type": "application/json" };
const nested = (open: string, close: string, depth = 10_000): string =>
  open.repeat(depth) + close.repeat(depth);
const NUMBERS = [
  "NaN",
  "Infinity",
  "-Infinity",
  "1e999",
  "-1e999",
  "1e-400",
  "-0",
  "9007199254740993",
  "0x10",
  "1_000",
];

/** Values that are JSON, or nearly, and that no member accepts. */
const VALUES: readonly string[] = [
  nested("[", "]"),
  nested('{"a":', "}").replace('{"a":}', '{"a":1}'),
  '"\\u0000"',
  '"a\\u0000b"',
  '"\\ud800"',
  '"\\udc00\\ud800"',
  '"\\u202e\\ufeff\\u2028"',
  `"${"x".repeat(50_000)}"`,
  `"${"𝒳".repeat(10_000)}"`,
  `[${Array.from({ length: 10_000 }, () => "{}").join()}]`,
  '{"__proto__":{"admin":true},"constructor":{"prototype":{}}}',
  "true",
  '"__proto__"',
  '"../../etc/passwd"',
  '"User#admin@example.com"',
  ...NUMBERS,
];

const cases = WITH_BODY.map((route) => ({ ...route, body: route.body ?? {} }));

describe.each(cases)("$route", (route) => {
  const sender = (): Client => (route.isPublic ? anonymous : senderOf(client, route));
  const send = (body: BodyInit, headers: Record<string, string> = json) =>
    expectSense(methodOf(route), pathOf(route, place), { body, headers }, sender());

  // Scenario 32.
  it("survives any value of any member", async () => {
    expect.hasAssertions();
    for (const member of Object.keys(route.body))
      for (const value of VALUES)
        await send(JSON.stringify({ ...route.body, [member]: "PLACE" }).replace('"PLACE"', () => value));
  });

  it("survives any value as the whole body, also with an idempotency key", async () => {
    expect.hasAssertions();
    for (const value of VALUES) await send(value);
    for (const value of VALUES.slice(0, 5)) {
      await send(value, { ...json, "idempotency-key": crypto.randomUUID() });
    }
  });

  it("survives unknown members", async () => {
    expect.hasAssertions();
    const whole = JSON.stringify(route.body).slice(1, -1);
    for (const value of VALUES.slice(0, 12))
      await send(`{${whole},"unknown":${value}}`, { ...json, "idempotency-key": "fuzz" });
    for (const name of ["__proto__", "constructor", "toString", "pk", "sk", "ttl", ""])
      await send(`{"${name}":{"status":"active","pk":"User#x"},${whole}}`);
    expect(Object.hasOwn(Object.prototype, "status")).toBe(false);
  });

  it("survives duplicate members", async () => {
    expect.hasAssertions();
    const whole = JSON.stringify(route.body).slice(1, -1);
    await send(`{${whole},${whole}}`);
    for (const member of Object.keys(route.body)) await send(`{${whole},"${member}":null}`);
  });

  it("survives bytes that are not text, and texts of a megabyte", async () => {
    expect.hasAssertions();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 2_000 }), async (bytes) => {
        await send(new Uint8Array(bytes));
      }),
      { numRuns: 8 },
    );
    for (const member of Object.keys(route.body)) {
      const text = JSON.stringify({ ...route.body, [member]: "x".repeat(1_000_000) });
      await send(text);
    }
    await send(new Uint8Array([0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]));
    await send("\ufeff{}");
  });

  it("survives any JSON", async () => {
    expect.hasAssertions();
    await fc.assert(
      fc.asyncProperty(fc.json({ maxDepth: 4 }), async (text) => void (await send(text))),
      { numRuns: 8 },
    );
  });
});

const SEGMENTS = [
  "%00",
  "%ff%fe",
  "%ED%A0%80",
  "..%2f..",
  "%23",
  "%",
  "%zz",
  "a b",
  "__proto__",
  "𝒳",
  "'\"<>",
  "x".repeat(4_000),
];
const QUERIES = [
  "limit=NaN",
  "limit=-1",
  "limit=1e9",
  "limit=9007199254740993",
  "limit[]=1&limit=2",
  "limit=%00",
  "cursor=%00",
  "cursor=AAAA",
  `cursor=${"A".repeat(2_049)}`,
  "cursor=__proto__",
  "after=-1",
  "after=1e3",
  "after=999999999999999",
  "after=%ff",
  "query=%00",
  "query=%ED%A0%80",
  "query=%22%20AND%20*%20OR%20NEAR(",
  `query=${"a%20".repeat(1_000)}`,
  "__proto__[x]=1",
  "%",
  "&&&==",
];
const HEADERS: readonly Record<string, string>[] = [
  { "if-match": '"' },
  { "if-match": 'W/"1", *, "x' },
  { "idempotency-key": "x".repeat(300) },
  { "idempotency-key": "é" },
  { "last-event-id": "-1" },
  { "last-event-id": "NaN" },
  { accept: "application/json;q=zero" },
  { origin: "null" },
  { "x-request-id": "x".repeat(1_000) },
  { "x-request-id": "<script>" },
  { range: "bytes=0-1" },
  { "content-length": "12" },
  { expect: "200-maybe" },
];

// Deleting the account is a valid request, and would end the other cases.
const fuzzed = ROUTES.filter(({ route }) => route !== "DELETE /users/me");

describe.each(fuzzed)("$route", (route) => {
  const method = methodOf(route);
  const body = route.body && JSON.stringify(route.body);
  const init = { headers: json, ...(body !== undefined && { body }) };

  it("survives any path", async () => {
    expect.hasAssertions();
    for (const segment of SEGMENTS)
      await expectSense(
        method,
        pathOf(route, { agentId: segment, conversationId: segment, kbId: segment }),
        init,
        senderOf(reader, route),
      );
  });

  it("survives any query and header", async () => {
    expect.hasAssertions();
    const { agentId, kbId } = method === "DELETE" ? { agentId: "x", kbId: "x" } : readersPlace;
    const path = pathOf(route, { agentId, conversationId: "x", kbId });
    if (method === "GET")
      for (const query of QUERIES)
        await expectSense(method, `${path}?${query}`, init, senderOf(reader, route));
    for (const headers of HEADERS)
      await expectSense(method, path, { ...init, headers: { ...json, ...headers } }, senderOf(reader, route));
  });
});

it("survives paths without a route", async () => {
  expect.hasAssertions();
  for (const segment of SEGMENTS)
    for (const base of ["", "/agents/a/b", "/auth", "/openapi.json"])
      for (const method of ["GET", "POST"]) await expectSense(method, `${base}/${segment}`, {}, reader);
});
