import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, expect, it } from "vitest";
import { app, beginConversation, type Client, signUp } from "../support/app.ts";
import { agree, connect, REDIRECT, register, requestOf } from "./people.ts";

let ann: Client;
let agentId: string;

beforeAll(async () => {
  ann = await signUp();
  ({ agentId } = await beginConversation(ann));
});

/** Programs behind one address, at a service whose limit is `quota` requests. */
function behindOneAddress(quota: number) {
  const used = new Map<string, number>();
  const binding: RateLimit = {
    limit: ({ key }) => {
      used.set(key, (used.get(key) ?? 0) + 1);
      return Promise.resolve({ success: (used.get(key) ?? 0) <= quota });
    },
  };
  return async (path: string, form: Record<string, string>) => {
    const ctx = createExecutionContext();
    const headers = {
      "content-type": "application/x-www-form-urlencoded",
      "cf-connecting-ip": "192.0.2.1",
    };
    const init = { method: "POST", headers, body: new URLSearchParams(form).toString() };
    const response = await app.request(path, init, { ...env, PUBLIC_BURST: binding }, ctx);
    const text = await response.text();
    await waitOnExecutionContext(ctx);
    const body = text === "" ? {} : (JSON.parse(text) as { error?: string; refresh_token?: string });
    return { status: response.status, headers: response.headers, body };
  };
}

const refreshOf = ({ clientId, refresh }: { clientId: string; refresh: string }) => ({
  grant_type: "refresh_token",
  client_id: clientId,
  refresh_token: refresh,
});

it("answers 429 to somebody who guesses tokens, and serves others behind the same address", async () => {
  const [held, other] = [await connect(ann, agentId), await connect(ann, agentId)];
  const send = behindOneAddress(2);
  const guess = () => send("/oauth/token", refreshOf({ clientId: held.clientId, refresh: "dabo_guess" }));

  const guesses = [await guess(), await guess(), await guess()];
  const honest = [
    await send("/oauth/token", refreshOf(held)),
    await send("/oauth/token", refreshOf(other)),
    await send("/oauth/revoke", { token: other.access }),
  ];

  expect(guesses.map(({ status }) => status)).toEqual([400, 400, 429]);
  expect(guesses[2]?.headers.get("retry-after")).toBe("60");
  expect(guesses[2]?.body.error).toBe("temporarily_unavailable");
  expect(honest.map(({ status }) => status)).toEqual([200, 200, 200]);
});

it("lets as many clients behind one address refresh their tokens as there are", async () => {
  const all = await Promise.all([1, 2, 3, 4].map(() => connect(ann, agentId)));
  const send = behindOneAddress(2);

  const answers = await Promise.all(all.map((held) => send("/oauth/token", refreshOf(held))));

  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
});

it.each([
  ["a code", { grant_type: "authorization_code", code: "dabo_guess" }],
  ["a refresh token", { grant_type: "refresh_token", refresh_token: "dabo_guess" }],
])("slows down who tries %s without saying for which client", async (_case, form) => {
  const send = behindOneAddress(2);
  const attempt = () => send("/oauth/token", form);

  const attempts = [await attempt(), await attempt(), await attempt()];

  expect(attempts.map(({ status }) => status)).toEqual([400, 400, 429]);
});

it("limits attempts with different verifiers for one code, and guesses of tokens to revoke", async () => {
  const program = await register();
  const code = (await agree(ann, requestOf(program, agentId))).get("code") ?? "";
  const send = behindOneAddress(2);
  const attempt = () =>
    send("/oauth/token", {
      grant_type: "authorization_code",
      client_id: program.clientId,
      code,
      redirect_uri: REDIRECT,
      code_verifier: "v".repeat(43),
    });
  const revoke = () => send("/oauth/revoke", { token: "dabo_guess" });

  const attempts = [await attempt(), await attempt(), await attempt()];
  const revocations = [await revoke(), await revoke(), await revoke()];

  expect(attempts.map(({ status }) => status)).toEqual([400, 400, 429]);
  expect(revocations.map(({ status }) => status)).toEqual([200, 200, 429]);
});
