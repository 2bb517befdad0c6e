import { env } from "cloudflare:workers";
import { abortAllDurableObjects, createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Item } from "../src/table/marshal.ts";
import { toHex, utf8 } from "../src/shared/crypto.ts";
import { itemsAbout } from "./accounts/plant.ts";
import { untilPhase } from "./accounts/deletions.ts";
import { pathOf, ROUTES, createPlace, sendTo } from "./http/route-cases.ts";
import {
  anonymous,
  app,
  beginConversation,
  type Client,
  clientOf,
  signUp,
  subscribe,
  table,
} from "./support/app.ts";
import { endFaults, injectFault, scriptModel } from "./support/control.ts";
import { say } from "./support/sse.ts";

/** The secrets of a run by their kind. Each is searched for as plain text, in base64, and in hexadecimal. */
type Secrets = Readonly<Record<string, string>>;

const LEVELS = ["log", "info", "warn", "error", "debug", "trace"] as const;
let lines: string[] = [];

beforeEach(() => {
  lines = [];
  for (const level of LEVELS)
    vi.spyOn(console, level).mockImplementation(
      (...parts: unknown[]) => void lines.push(parts.map(shown).join(" ")),
    );
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** Everything that a log could show of a value: what an error carries with it, too. */
function shown(value: unknown): string {
  if (value instanceof Error)
    return [value.stack, value.message, ...Object.values(value).map(shown), shown(value.cause ?? "")].join(
      " ",
    );
  if (typeof value !== "object" || value === null) return String(value);
  return Object.entries(value)
    .map(([name, member]) => `${name}: ${shown(member)}`)
    .join(" ");
}

/** The forms in which a secret may appear: also its beginning and its end at any position of a base64 text. */
function formsOf(secret: string): string[] {
  const bytes = utf8(secret);
  const shifted = [0, 1, 2].map((by) => {
    const padded = new Uint8Array(by + bytes.length);
    padded.set(bytes, by);
    // Characters that hold bits of a neighbour are left out.
    return btoa(String.fromCharCode(...padded)).slice(by === 0 ? 0 : by + 1, -4);
  });
  const url = shifted.map((text) => text.replaceAll("+", "-").replaceAll("/", "_"));
  return [...new Set([secret, ...shifted, ...url, toHex(bytes), encodeURIComponent(secret)])];
}

function expectNone(of: Secrets, where: string, text: string): void {
  for (const [name, secret] of Object.entries(of))
    for (const form of formsOf(secret))
      expect(text.includes(form), `${name} stands in ${where}: …${around(text, form)}…`).toBe(false);
}

const around = (text: string, form: string): string => {
  const at = text.indexOf(form);
  return at < 0 ? "" : text.slice(Math.max(0, at - 80), at + form.length + 20);
};

const OWN_ENVIRONMENT: Secrets = {
  "the secret of tokens": env.JWT_SECRET,
  "the secret key of the table": env.AWS_SECRET_ACCESS_KEY,
};

/** Collects everything that a client receives. */
function recording(client: Client, answers: string[]): Client {
  const send = async (...request: Parameters<Client>) => {
    const answer = await client(...request);
    const path = `${request[0]} ${request[1].split("?", 1)[0]}`;
    answers.push(`${path}: ${JSON.stringify([...answer.headers])} ${JSON.stringify(answer.body)}`);
    return answer;
  };
  return Object.assign(send, { email: client.email, token: client.token, raw: client.raw.bind(client) });
}

const without = (item: Item, attributes: readonly string[]): Item =>
  Object.fromEntries(Object.entries(item).filter(([name]) => !attributes.includes(name)));

it("finds a secret in each of its forms", () => {
  const secret = "canary-of-some-length-1234567890";
  for (const before of ["", "a", "ab", "abc"])
    expect(() => expectNone({ it: secret }, "a text", btoa(`${before}${secret}xyz`))).toThrow(
      /it stands in/u,
    );
  expect(() => expectNone({ it: secret }, "a text", toHex(utf8(`-${secret}-`)))).toThrow(/it stands in/u);
  expect(() => expectNone({ it: secret }, "a text", shown(new Error("x", { cause: { secret } })))).toThrow(
    /it stands in/u,
  );
});

it("reveals no secret in an answer, a stream, the log or the table, on any route and in any failure", async () => {
  const answers: string[] = [];
  const password = `canary-password-${crypto.randomUUID()}`;
  const provider = `sk-canary-provider-${crypto.randomUUID()}`;
  const stored = {
    password_salt: `canary-salt-${crypto.randomUUID()}`,
    refresh_token: `canary-refresh-${crypto.randomUUID()}`,
    encrypted_credentials: `canary-credentials-${crypto.randomUUID()}`,
  };
  const username = `user-${crypto.randomUUID().slice(0, 13)}`;
  const signedUp = await anonymous("POST", "/auth/local/signup", { username, password });
  const token = signedUp.body.token as string;
  const client = recording(clientOf(token, signedUp.body.email as string), answers);
  const open = recording(anonymous, answers);

  await subscribe(client, { plan: "enterprise" });

  // What the table keeps of secrets.
  const user = { pk: `User#${client.email}`, sk: "User#Metadata" };
  await table.update(user, { set: { refresh_token: stored.refresh_token } });
  const { encrypted_credentials } = stored;
  await table.put({ pk: user.pk, sk: "ProviderSettings#Anthropic", encrypted_credentials });

  // Every route, with valid and invalid requests.
  const place = await createPlace(client);
  for (const route of ROUTES.filter(({ route }) => !route.startsWith("DELETE"))) {
    await sendTo(route.isPublic ? open : client, route, place);
    await client("POST", pathOf(route, place), "{", { authorization: `Bearer ${token}x` });
  }
  await open("POST", "/auth/local/login", { username, password: `${password}x` });
  await open("POST", "/auth/local/login", { username: [password], password: { [password]: password } });
  await client("GET", `/agents?token=${token}&password=${password}`);
  await client("PATCH", "/nothing", { password }, { "x-api-key": provider });

  // A provider that quotes the key, before and within the stream.
  const quote = {
    error: { message: `Incorrect API key provided: ${provider}`, type: "error", code: "invalid_api_key" },
  };
  const refuses = await scriptModel([{ status: 401, body: quote }]);
  const breaks = await scriptModel([{ text: "Well. " }, { raw: `data: ${JSON.stringify(quote)}\n\n` }]);
  const babbles = await scriptModel([{ text: "Well. " }, { raw: `data: {"a": ${provider}\n\n` }]);
  for (const { name } of [refuses, breaks, babbles]) {
    const { path, conversationId } = await beginConversation(client, { agent_model: name });
    await say(client, path, "Hello");
    await client("GET", `/conversations/${conversationId}/runs/active/events?after=0`);
    await client("GET", `/conversations/${conversationId}/runs`);
  }

  // A database that quotes the request, in every way it can fail.
  const quoting = `The Canonical String was 'x-amz-security-token:${env.AWS_SECRET_ACCESS_KEY}'`;
  for (const [status, type] of [
    [400, "InvalidSignatureException"],
    [403, "SignatureDoesNotMatch"],
    [500, "InternalServerError"],
  ] as const) {
    const message = type === "InternalServerError" ? "Failed" : quoting;
    const body = { __type: `x#${type}`, message };
    const fault = { kind: "answer", status, body } as const;
    await injectFault({ match: [client.email], times: 8, fault });
    await client("GET", "/agents");
    await client("POST", `/agents/${place.agentId}/${place.conversationId}/send-message`, {
      content: "Hello",
    });
    await endFaults();
  }
  await abortAllDurableObjects();

  await client("GET", "/users/me/export");
  const items = (await itemsAbout(client.email, place.agentId, place.conversationId)).map((item) =>
    without(item, Object.keys(stored)),
  );
  await client("DELETE", "/users/me");
  await untilPhase(client, "completed");

  const secrets = { ...OWN_ENVIRONMENT, password, provider, ...stored };
  expect(lines.length).toBeGreaterThan(50);
  expect(lines.filter((line) => line.includes("Signature")).length).toBeGreaterThan(0);
  expect(lines.some((line) => line.includes("A turn failed."))).toBe(true);
  for (const line of lines) expectNone({ ...secrets, token, "the e-mail": client.email }, "the log", line);
  for (const answer of answers) expectNone(secrets, "an answer", answer);
  for (const item of items) expectNone({ ...secrets, token }, "the table", shown(item));
  expect(items.length).toBeGreaterThan(20);
});

it("reveals nothing of an invalid environment", async () => {
  const secrets = {
    JWT_SECRET: `canary-jwt-${crypto.randomUUID()}`,
    AWS_ACCESS_KEY_ID: `canary-id-${crypto.randomUUID()}`,
    AWS_SECRET_ACCESS_KEY: `canary-key-${crypto.randomUUID()}`,
    AWS_SESSION_TOKEN: `canary-session-${crypto.randomUUID()}`,
  };
  const answers: string[] = [];

  for (const wrong of [
    { AWS_ACCESS_KEY_ID: "", ENVIRONMENT: "production" },
    { JWT_SECRET: `a:${secrets.JWT_SECRET},a:${secrets.JWT_SECRET}` },
    { SAVE_TIMEOUT_MS: secrets.JWT_SECRET },
    { DYNAMODB_ENDPOINT: "http://127.0.0.1:1" },
    { DYNAMODB_ENDPOINT: "no address" },
  ])
    for (const [path, init] of [
      ["/agents", { headers: { authorization: `Bearer ${(await signUp()).token}` } }],
      [
        "/auth/local/login",
        {
          method: "POST",
          body: '{"username":"a","password":"b"}',
          headers: { "content-type": "application/json" },
        },
      ],
    ] as const) {
      const ctx = createExecutionContext();
      const response = await app.request(path, init, { ...env, ...secrets, ...wrong }, ctx);
      answers.push(JSON.stringify([...response.headers]) + (await response.text()));
      await waitOnExecutionContext(ctx);
    }

  expect(answers.filter((answer) => answer.includes("problem+json")).length).toBe(10);
  for (const text of [...answers, ...lines]) expectNone(secrets, "an answer or the log", text);
});
