import { AwsClient } from "aws4fetch";
import { describe, expect, inject, it } from "vitest";
import { STRIPE_EVENTS } from "../../scripts/doctor/stripe.ts";
import { ensureTable } from "../../scripts/table.ts";
import { eventFrom } from "../../src/payments/stripe-events.ts";
import { pricing } from "../../src/plans/pricing.ts";
import { found, GOOD, NOWHERE } from "./doctor-settings.ts";
import { answerJson, listen } from "./local-server.ts";

describe("the table", () => {
  /** A database that answers each operation with a status and a body, and other operations as if all was well. */
  const database = (answers: Readonly<Record<string, readonly [number, object]>>, date?: string) =>
    listen(({ headers }, response) => {
      const operation = String(headers["x-amz-target"]).split(".").at(-1) ?? "";
      const [status, body] = answers[operation] ?? [200, {}];
      answerJson(response, status, body, date === undefined ? {} : { date });
    });
  const refusal = (type: string, message = "no") =>
    [400, { __type: `com.amazonaws.dynamodb.v20120810#${type}`, message }] as const;
  const EXPIRES = [
    200,
    { TimeToLiveDescription: { TimeToLiveStatus: "ENABLED", AttributeName: "ttl" } },
  ] as const;
  const at = (endpoint: string) => ({ ...GOOD, DYNAMODB_ENDPOINT: endpoint });

  it("is right if the service can do everything with it, and is not changed", async () => {
    const endpoint = inject("database");
    const table = `doctor-${crypto.randomUUID()}`;
    const credentials = { accessKeyId: "local", secretAccessKey: "local" };
    await ensureTable({ endpoint, region: "us-east-1", table, credentials });
    const variables = { ...at(endpoint), DYNAMODB_TABLE: table, AWS_REGION: "us-east-1" };

    const lines = await found("Table", variables);

    expect(lines.filter((line) => line.startsWith("wrong"))).toEqual([]);
    expect(lines).toContain(`ok: The credentials may read and write the table ${table}.`);
    expect(lines).toContain("ok: The table expires items by their ttl.");
  });

  it("is missing if the database has none of that name", async () => {
    const endpoint = inject("database");
    const variables = { ...at(endpoint), DYNAMODB_TABLE: "not-there", AWS_REGION: "us-east-1" };

    expect(await found("Table", variables)).toContainEqual(
      expect.stringContaining(`wrong: There is no table not-there at ${endpoint}. Create it`),
    );
  });

  it("is wrong if its keys have other names", async () => {
    const endpoint = inject("database");
    const table = `doctor-${crypto.randomUUID()}`;
    await createTableWithKeys(endpoint, table, "id");
    const variables = { ...at(endpoint), DYNAMODB_TABLE: table, AWS_REGION: "us-east-1" };

    expect(await found("Table", variables)).toContainEqual(
      expect.stringContaining(`wrong: The table ${table} has other keys than pk (partition key, text)`),
    );
  });

  it("is wrong if it keeps expired items", async () => {
    const none = { TimeToLiveDescription: { TimeToLiveStatus: "DISABLED" } };
    const other = { TimeToLiveDescription: { TimeToLiveStatus: "ENABLED", AttributeName: "expires" } };

    for (const [body, sentence] of [
      [none, "does not expire items"],
      [other, 'expires items by the attribute "expires", not "ttl"'],
    ] as const) {
      const lines = await found("Table", at(await database({ DescribeTimeToLive: [200, body] })));
      expect(lines).toContainEqual(expect.stringMatching(new RegExp(`^wrong: .*${sentence}`, "u")));
    }
  });

  it.each([
    ["UnrecognizedClientException", "wrong: The database does not know AWS_ACCESS_KEY_ID."],
    ["InvalidSignatureException", "wrong: AWS_SECRET_ACCESS_KEY does not belong to AWS_ACCESS_KEY_ID."],
    ["ExpiredTokenException", "wrong: AWS_SESSION_TOKEN has expired."],
  ])("is out of reach if the database answers %s", async (type, sentence) => {
    const lines = await found("Table", at(await database({ GetItem: refusal(type) })));

    expect(lines).toContainEqual(expect.stringContaining(sentence));
  });

  it("is out of reach if the database does not answer", async () => {
    expect(await found("Table", at(NOWHERE))).toEqual([
      expect.stringContaining(`wrong: The database does not answer at ${NOWHERE} (`),
    ]);
  });

  it("is out of reach if something else answers", async () => {
    const endpoint = await listen((_, response) => void response.writeHead(404).end("<html>Not found"));

    expect(await found("Table", at(endpoint))).toContainEqual(
      `wrong: ${endpoint} does not answer like DynamoDB: HTTP 404. Check DYNAMODB_ENDPOINT.`,
    );
  });

  it("names the rights that the credentials lack", async () => {
    const denied = refusal("AccessDeniedException");
    const lines = await found(
      "Table",
      at(await database({ Query: denied, TransactWriteItems: denied, DescribeTimeToLive: EXPIRES })),
    );

    expect(lines).toContainEqual(
      expect.stringContaining(
        "wrong: The credentials lack dynamodb:Query and dynamodb:ConditionCheckItem on the table",
      ),
    );
  });

  it("is right if only its description may not be read, which the service does not do", async () => {
    const lines = await found(
      "Table",
      at(await database({ DescribeTimeToLive: refusal("AccessDeniedException") })),
    );

    expect(lines.map((line) => line.split(":")[0])).toEqual(["ok", "ok", "note"]);
  });

  it.each([
    ["ahead of", 90_000],
    ["behind", -90_000],
  ])("shows a clock that is %s the database's", async (word, skew) => {
    const now = Date.UTC(2026, 0, 1);
    const endpoint = await database({ DescribeTimeToLive: EXPIRES }, new Date(now - skew).toUTCString());

    const lines = await found("Table", at(endpoint), { now: () => now });

    expect(lines[0]).toMatch(
      new RegExp(`^wrong: This machine's clock is (?:89|90|91) seconds ${word} the database's\\.`, "u"),
    );
  });
});
describe("sign-in", () => {
  /** An issuer that knows one client with one secret and one redirect address. */
  async function startIssuer(more: object = {}): Promise<string> {
    const issuer: string = await listen(({ url, body }, response) => {
      if (url.pathname === "/.well-known/openid-configuration") {
        answerJson(response, 200, {
          issuer,
          authorization_endpoint: `${issuer}/authorize`,
          token_endpoint: `${issuer}/token`,
          jwks_uri: `${issuer}/keys`,
          token_endpoint_auth_methods_supported: ["client_secret_post"],
          ...more,
        });
      } else if (url.pathname === "/authorize") {
        const target = url.searchParams.get("redirect_uri");
        const isKnown = target === "https://api.example.com/auth/callback";
        response.writeHead(
          isKnown ? 302 : 400,
          isKnown ? { location: `${target}?error=login_required` } : {},
        );
        response.end();
      } else {
        const form = new URLSearchParams(body);
        const isKnown =
          form.get("client_id") === "client" && form.get("client_secret") === "secret-of-the-client";
        answerJson(response, isKnown ? 400 : 401, { error: isKnown ? "invalid_grant" : "invalid_client" });
      }
    });
    return issuer;
  }
  // Issuers of tests have no TLS, which is for development only.
  const localFound = (variables: Readonly<Record<string, string>>) =>
    found("Sign-in", variables, { isLocal: true });

  it("is right if the issuer knows the redirect address and accepts the client", async () => {
    const issuer = await startIssuer();

    expect(await localFound({ ...GOOD, OIDC_ISSUER: issuer })).toEqual([
      `ok: The issuer ${issuer} answers.`,
      "ok: The issuer knows the redirect address https://api.example.com/auth/callback.",
      "ok: The issuer accepts the client and its secret.",
    ]);
  });

  it("is wrong if the issuer does not know the redirect address", async () => {
    const variables = { ...GOOD, OIDC_ISSUER: await startIssuer(), PUBLIC_URL: "https://other.example.com" };

    expect(await localFound(variables)).toContainEqual(
      expect.stringMatching(
        /^wrong: The issuer refuses to begin .*: https:\/\/other\.example\.com\/auth\/callback$/u,
      ),
    );
  });

  it("is wrong if the secret is not the client's", async () => {
    const variables = { ...GOOD, OIDC_ISSUER: await startIssuer(), GOOGLE_CLIENT_SECRET: "another-secret" };

    const lines = await localFound(variables);

    expect(lines).toContainEqual(expect.stringContaining("wrong: The issuer does not accept the client"));
    expect(lines.join("")).not.toContain("another-secret");
  });

  it("is wrong if the issuer authenticates clients in ways that the service does not know", async () => {
    const issuer = await startIssuer({ token_endpoint_auth_methods_supported: ["private_key_jwt"] });

    expect(await localFound({ ...GOOD, OIDC_ISSUER: issuer })).toContainEqual(
      expect.stringContaining("wrong: The issuer authenticates clients by private_key_jwt only."),
    );
  });

  it("is wrong if the issuer has another name than it is configured by", async () => {
    const issuer = await startIssuer();

    expect(await localFound({ ...GOOD, OIDC_ISSUER: `${issuer}/` })).toEqual([
      `wrong: The issuer calls itself ${issuer}, and OIDC_ISSUER must be exactly that, not ${issuer}/.`,
    ]);
  });

  it("is described without the user and password of an address, and without what steers a terminal", async () => {
    const credentials = "somebody:their-password";
    const address = NOWHERE.replace("http://", `http://${credentials}@`);
    const hostile = await startIssuer({ issuer: "https://other.example\u001B[2J\u0007" });

    const lines = [
      ...(await localFound({ ...GOOD, OIDC_ISSUER: address })),
      ...(await found("Table", { ...GOOD, DYNAMODB_ENDPOINT: address })),
      ...(await localFound({ ...GOOD, OIDC_ISSUER: hostile })),
    ];

    expect(lines).toHaveLength(3);
    expect(lines.join("")).not.toContain("their-password");
    expect(lines[2]).toMatch(/^wrong: The issuer calls itself https:\/\/other\.example \[2J ,/u);
  });

  it("is wrong if there is no issuer, or none that answers", async () => {
    const other = await listen((_, response) => answerJson(response, 404, {}));

    expect(await localFound({ ...GOOD, OIDC_ISSUER: other })).toEqual([
      expect.stringContaining("wrong: There is no OpenID issuer at OIDC_ISSUER:"),
    ]);
    expect(await localFound({ ...GOOD, OIDC_ISSUER: NOWHERE })).toEqual([
      expect.stringContaining("wrong: The issuer does not answer at"),
    ]);
  });
});
describe("Stripe", () => {
  const WEBHOOK = "https://api.example.com/payments/stripe/webhook";
  const endpoint = { url: WEBHOOK, status: "enabled", enabled_events: STRIPE_EVENTS };
  const SOLD = {
    ...GOOD,
    STRIPE_SECRET_KEY: "sk_live_0123456789abcdef",
    STRIPE_WEBHOOK_SECRET: "whsec_0123456789",
  };

  /** Stripe with all prices but some, and with webhook endpoints. Requests for its address reach this server. */
  async function stripeWith(endpoints: readonly object[], without: readonly string[] = []) {
    const origin = await listen(({ url, headers }, response) => {
      if (headers.authorization !== `Bearer ${SOLD.STRIPE_SECRET_KEY}`)
        return answerJson(response, 401, { error: { message: `Invalid key ${headers.authorization}` } });
      if (url.pathname === "/v1/webhook_endpoints") return answerJson(response, 200, { data: endpoints });
      const keys = url.searchParams.getAll("lookup_keys[]").filter((key) => !without.includes(key));
      return answerJson(response, 200, {
        data: keys.map((key) => ({ lookup_key: key, unit_amount: amounts.get(key) })),
      });
    });
    const fetch: typeof globalThis.fetch = (input, init) =>
      globalThis.fetch(String(input).replace("https://api.stripe.com", origin), init);
    return { fetch };
  }
  const amounts = new Map(
    pricing.tiers.flatMap(({ lookup_keys, prices }) =>
      Object.entries(lookup_keys).map(([cycle, key]) => [
        key,
        Number(prices[cycle as keyof typeof prices].replaceAll(/[^\d.]/gu, "")) * 100,
      ]),
    ),
  );

  it("is right with all prices and a webhook endpoint for all events", async () => {
    expect(await found("Stripe", SOLD, await stripeWith([endpoint]))).toEqual([
      "ok: Stripe accepts the key and has a price for every plan that is sold.",
      "ok: Stripe sends the events that the service needs.",
    ]);
    expect(await found("Stripe", SOLD, await stripeWith([{ ...endpoint, enabled_events: ["*"] }]))).toContain(
      "ok: Stripe sends the events that the service needs.",
    );
  });

  it("is wrong if a price is missing", async () => {
    const [missing = ""] = amounts.keys();

    expect(await found("Stripe", SOLD, await stripeWith([endpoint], [missing]))).toContainEqual(
      expect.stringContaining(`wrong: Stripe has no active price for ${missing}.`),
    );
  });

  it.each([
    ["no endpoint", [], "has no webhook endpoint"],
    [
      "an endpoint elsewhere",
      [{ ...endpoint, url: "https://old.example.com/webhook" }],
      "has no webhook endpoint",
    ],
    ["a disabled endpoint", [{ ...endpoint, status: "disabled" }], "is disabled"],
    [
      "an endpoint without an event",
      [{ ...endpoint, enabled_events: STRIPE_EVENTS.filter((event) => event !== "invoice.paid") }],
      "lacks the events invoice.paid.",
    ],
  ])("is wrong if it has %s for webhooks", async (_case, endpoints, sentence) => {
    const lines = await found("Stripe", SOLD, await stripeWith(endpoints));

    expect(lines.filter((line) => line.startsWith("wrong"))).toEqual([expect.stringContaining(sentence)]);
  });

  it("is wrong with a key that Stripe does not accept, which is not shown", async () => {
    const variables = { ...SOLD, STRIPE_SECRET_KEY: "sk_live_another-key-of-stripe" };

    expect(await found("Stripe", variables, await stripeWith([endpoint]))).toEqual([
      "wrong: Stripe does not accept the key in STRIPE_SECRET_KEY. Has it been rolled or revoked?",
    ]);
  });

  it.each([
    ["a publishable key", { STRIPE_SECRET_KEY: "pk_live_1" }, "is a publishable key"],
    ["something else as its key", { STRIPE_SECRET_KEY: "whsec_0123456789" }, "is not a key of Stripe"],
    ["no secret for webhooks", { STRIPE_WEBHOOK_SECRET: "" }, "STRIPE_WEBHOOK_SECRET is not set"],
    [
      "something else as the secret for webhooks",
      { STRIPE_WEBHOOK_SECRET: "sk_live_0123" },
      "is not a signing secret",
    ],
    ["a secret for webhooks without a key", { STRIPE_SECRET_KEY: "" }, "is set without STRIPE_SECRET_KEY"],
  ])("is wrong with %s", async (_case, variables, sentence) => {
    const lines = await found("Stripe", { ...SOLD, ...variables }, await stripeWith([endpoint]));

    expect(lines).toContainEqual(expect.stringMatching(new RegExp(`^wrong: .*${sentence}`, "u")));
  });

  it("sends every event that is asked for to code that does something with it", () => {
    const object = { id: "sub_1", subscription: "sub_1", invoice: "in_1", metadata: {}, parent: null };

    for (const type of STRIPE_EVENTS) {
      const event = eventFrom({ id: "evt_1", type, data: { object } } as never);
      const isInvoice = type === "invoice.paid" || type.startsWith("invoice.payment_");
      expect([type, isInvoice || event.about !== undefined || event.alert !== undefined]).toEqual([
        type,
        true,
      ]);
    }
  });
});
describe("servers", () => {
  const EMBEDDING = { ...GOOD, EMBEDDINGS_MODEL: "words", EMBEDDINGS_API_KEY: "key-of-the-embeddings" };
  const RERANK = { ...GOOD, RERANK_MODEL: "orders", RERANK_API_KEY: "key-of-the-reranking" };

  it("are right if they embed and order a word", async () => {
    expect(await found("Embeddings", { ...EMBEDDING, EMBEDDINGS_URL: inject("embeddings") })).toEqual([
      "ok: The embeddings server answers, with vectors of 8 numbers.",
    ]);
    expect(await found("Reranking", { ...RERANK, RERANK_URL: inject("reranking") })).toEqual([
      "ok: The reranking server answers.",
    ]);
  });

  it("are wrong if a model does not make vectors of the wanted length", async () => {
    const url = await listen((_, response) =>
      answerJson(response, 200, { data: [{ embedding: [1, 2, 3] }] }),
    );

    expect(
      await found("Embeddings", { ...EMBEDDING, EMBEDDINGS_URL: url, EMBEDDINGS_DIMENSIONS: "512" }),
    ).toEqual([
      expect.stringContaining(
        "wrong: The model words does not make vectors of EMBEDDINGS_DIMENSIONS=512 numbers; it makes 3.",
      ),
    ]);
  });

  it.each([
    ["Embeddings", "EMBEDDINGS", EMBEDDING],
    ["Reranking", "RERANK", RERANK],
  ])(
    "%s is wrong with another key, with another address, and without an answer",
    async (subject, prefix, variables) => {
      const refusing = await listen(({ headers }, response) =>
        answerJson(response, 401, { error: { message: `Unknown key ${headers.authorization}` } }),
      );
      const other = await listen((_, response) => answerJson(response, 404, {}));
      const silent = await listen(() => undefined);
      const at = (url: string, limitMs?: number) =>
        found(subject, { ...variables, [`${prefix}_URL`]: url }, limitMs === undefined ? {} : { limitMs });

      expect(await at(refusing)).toEqual([
        expect.stringContaining(`does not accept the key: check ${prefix}_API_KEY.`),
      ]);
      expect(await at(other)).toEqual([expect.stringMatching(/^wrong: .*gave no usable answer/u)]);
      expect(await at(NOWHERE)).toEqual([expect.stringContaining("gave no usable answer (ECONNREFUSED)")]);
      expect(await at(silent, 200)).toEqual([
        expect.stringMatching(/^wrong: .*(?:in time|within 0\.2 seconds)/u),
      ]);
    },
  );

  it("include the receiver of the contact form, which is sent nothing", async () => {
    const methods: string[] = [];
    const receiver = await listen(({ method }, response) => {
      methods.push(method);
      response.writeHead(405).end();
    });
    const gone = await listen((_, response) => void response.writeHead(404).end());
    const at = (address: string) =>
      found("Contact form", { ...GOOD, CONTACT_WEBHOOK_URL: address }, { isLocal: true });

    expect(await at(`${receiver}/secret-path`)).toEqual(["ok: The receiver of the contact form answers."]);
    expect(methods).toEqual(["HEAD"]);
    expect(await at(`${gone}/secret-path`)).toEqual([expect.stringContaining("its address is gone (404)")]);
    expect((await at(`${NOWHERE}/secret-path`)).join("")).not.toContain("secret-path");
    expect(await found("Contact form", { ...GOOD, CONTACT_WEBHOOK_URL: "http://a.example" })).toEqual([
      expect.stringContaining("has to be an address that begins with https://"),
    ]);
  });
});
/** Creates a table whose partition key has another name. */
async function createTableWithKeys(endpoint: string, table: string, partitionKey: string): Promise<void> {
  const aws = new AwsClient({
    accessKeyId: "local",
    secretAccessKey: "local",
    service: "dynamodb",
    region: "us-east-1",
  });
  const response = await aws.fetch(endpoint, {
    method: "POST",
    headers: {
      "content-type": "application/x-amz-json-1.0",
      "x-amz-target": "DynamoDB_20120810.CreateTable",
    },
    body: JSON.stringify({
      TableName: table,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [{ AttributeName: partitionKey, AttributeType: "S" }],
      KeySchema: [{ AttributeName: partitionKey, KeyType: "HASH" }],
    }),
  });
  expect(response.status).toBe(200);
}
