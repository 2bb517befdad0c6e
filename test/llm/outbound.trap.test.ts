import { expect, inject, it } from "vitest";
import { outboundFetch } from "../../src/llm/outbound-fetch.ts";
import { contextOf } from "./protocols/protocol.ts";

const trap = new URL(inject("trap"));

/** Every way to write the trap's address into a URL, and names that lead to it. */
const HOSTS = [
  "127.0.0.1",
  "127.1",
  "127.0.0.1.",
  "2130706433",
  "0x7f000001",
  "0177.0.0.1",
  "①②⑦.0.0.1",
  "localhost",
  "LOCALHOST.",
  "trap.localhost",
  "0.0.0.0",
  "[::1]",
  "[::ffff:127.0.0.1]",
  "[64:ff9b::7f00:1]",
  "user@127.0.0.1",
  "public-by-name.example.com",
];

const hits = async (): Promise<number> => Number(await (await fetch(new URL("/hits", trap))).text());

/** Asks the real network, with a resolver that knows where names of the test lead. */
const ask = (url: string, isLocal: boolean, to = "127.0.0.1"): Promise<Response> =>
  outboundFetch(
    contextOf({
      fetch: (input: RequestInfo | URL, init?: RequestInit) => fetch(input, init),
      isLocal,
      resolve: () => Promise.resolve([to]),
    }),
  )(url);

it("reaches a server on this machine in local development only, and follows no redirect there", async () => {
  const before = await hits();

  expect((await ask(`${trap.origin}/v1/models`, true)).status).toBe(200);
  expect(await hits()).toBe(before + 1);

  expect((await ask(`${trap.origin}/away/v1/models`, true)).status).toBe(302);
  expect(await hits()).toBe(before + 1);
});

// Scenario 24.
it("reaches it by no name or address otherwise", async () => {
  const before = await hits();

  for (const host of HOSTS)
    for (const scheme of ["http", "https"])
      for (const port of [`:${trap.port}`, ""])
        await expect(ask(`${scheme}://${host}${port}/v1/models`, false)).rejects.toMatchObject({
          code: expect.stringMatching(/^provider-/u),
        });

  expect(await hits()).toBe(before);
});
