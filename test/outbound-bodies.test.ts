import { describe, expect, inject, it } from "vitest";
import { OpenIdIssuer } from "../src/auth/issuer.ts";
import { IssuerDocuments } from "../src/auth/issuer-documents.ts";
import { BUDGETS } from "../src/llm/budgets.ts";
import { openAiEmbedder } from "../src/llm/embeddings.ts";
import { StripeGateway } from "../src/payments/gateway.ts";
import { createResolver } from "../src/shared/dns.ts";
import { findProvider } from "../src/llm/providers.ts";
import { createTransport } from "../src/table/transport.ts";
import { PROTOCOLS } from "./llm/protocols/all.ts";
import { contextOf, type Protocol } from "./llm/protocols/protocol.ts";
import { fatBody } from "./support/endless.ts";

/** Every outgoing request, with an answer that is much longer than any valid one. Streams have tests of their own. */

const MB = 1_000_000;
const FAT_BYTES = 64 * MB;
/** How much of a body may have been requested beyond what was read: pieces in flight. */
const SLACK_BYTES = 300_000;

type Ask = (fetch: typeof globalThis.fetch) => Promise<unknown>;

const signal = () => AbortSignal.timeout(60_000);
const providerOf = ({ name, credentials }: Protocol, fetch: typeof globalThis.fetch) => {
  const provider = findProvider(name, false);
  if (!provider) throw new Error(`There is no provider ${name}`);
  return { provider, credentials, context: contextOf({ fetch }) };
};

const lists = PROTOCOLS.map(([name, protocol]): [string, number, Ask] => [
  `${name}'s list of models`,
  BUDGETS.listBytes,
  (fetch) => {
    const { provider, credentials, context } = providerOf(protocol, fetch);
    return provider.listModels(credentials, context, signal());
  },
]);

const embedders = PROTOCOLS.flatMap(([name, protocol]): [string, number, Ask][] => {
  const credentials = { ...protocol.credentials, embedding_model: "small" };
  const { provider } = providerOf(protocol, fetch);
  if (!provider.openEmbedder(credentials, contextOf())) return [];
  return [
    [
      `${name}'s embeddings`,
      BUDGETS.listBytes,
      async (fetch) => provider.openEmbedder(credentials, contextOf({ fetch }))?.embed(["one"], signal()),
    ],
  ];
});

const issuerUrl = () => `https://issuer-${crypto.randomUUID()}.example.com`;
const metadataOf = (issuer: string) => ({
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  jwks_uri: `${issuer}/keys`,
});

async function redeem(send: typeof fetch): Promise<unknown> {
  const issuer = issuerUrl();
  const config = {
    issuer,
    clientId: "us",
    clientSecret: "secret",
    clientAuth: undefined,
    redirectUri: "https://us.example.com/back",
  };
  const published: typeof fetch = (input, init) =>
    new Request(input, init).url.includes("/.well-known/")
      ? Promise.resolve(Response.json(metadataOf(issuer)))
      : send(input, init);
  const openId = new OpenIdIssuer({
    config: { ...config, allowHttp: false },
    fetch: published,
    now: Date.now,
  });
  const answer = new URLSearchParams({ code: "code", state: "state" });
  const verifier = "v".repeat(43);
  return openId.identify(answer, { state: "state", nonce: "nonce", verifier });
}

const CASES: readonly [string, number, Ask][] = [
  ...lists,
  ...embedders,
  [
    "the deployment's embeddings server",
    BUDGETS.listBytes,
    (fetch) => {
      const config = {
        url: "https://embed.example.com/v1",
        apiKey: "key",
        model: "m",
        dimensions: undefined,
      };
      return openAiEmbedder(config, fetch).embed(["one"], signal());
    },
  ],
  [
    "the resolver of names",
    64_000,
    (fetch) => createResolver({ fetch, now: Date.now, timeoutMs: 60_000, keepMs: 1 })("example.com"),
  ],
  [
    "the issuer's description of itself",
    MB,
    (fetch) =>
      new IssuerDocuments({ issuer: issuerUrl(), allowHttp: false, fetch, now: Date.now }).metadata(),
  ],
  [
    "the issuer's keys",
    MB,
    (fetch) => {
      const issuer = issuerUrl();
      return new IssuerDocuments({ issuer, allowHttp: false, fetch, now: Date.now }).keys(
        metadataOf(issuer),
        0,
      );
    },
  ],
  ["the issuer's tokens", MB, redeem],
  [
    "Stripe",
    8 * MB,
    (fetch) => {
      const options = { secretKey: `sk_test_${crypto.randomUUID()}`, webhookSecrets: [], now: Date.now };
      return new StripeGateway({ ...options, apiUrl: inject("stripe"), fetch }).subscription("sub_1");
    },
  ],
  [
    "DynamoDB",
    48 * MB,
    (fetch) => {
      const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" };
      return createTransport({
        endpoint: "https://dynamodb.eu-west-2.amazonaws.com",
        region: "eu-west-2",
        credentials,
        fetch,
        sleep: () => Promise.resolve(),
      })("GetItem", {});
    },
  ],
];

describe.each(CASES)("%s", (_name, maxBytes, ask) => {
  it("is read up to a limit, and refused beyond it", async () => {
    const counts: { given: number }[] = [];
    const answer = ask(() => {
      const { body, count } = fatBody(new TextEncoder().encode(" ".repeat(64_000)), FAT_BYTES);
      counts.push(count);
      return Promise.resolve(new Response(body, { headers: { "content-type": "application/json" } }));
    });

    await expect(answer).rejects.toBeInstanceOf(Error);
    expect(counts.length).toBeGreaterThan(0);
    for (const { given } of counts) expect(given).toBeLessThan(maxBytes + SLACK_BYTES);
  });

  it("is not redirected", async () => {
    const asked: Request[] = [];
    const answer = ask((input, init) => {
      asked.push(new Request(input, init));
      const headers = { location: "https://elsewhere.example.com/", "content-type": "application/json" };
      return Promise.resolve(new Response("{}", { status: 307, headers }));
    });

    await expect(answer).rejects.toBeInstanceOf(Error);
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.map(({ redirect }) => redirect)).toEqual(asked.map(() => "manual"));
  });
});
