import { env } from "cloudflare:workers";
import { EncryptJWT } from "jose";
import { expect, it } from "vitest";
import { configFrom } from "../../src/config.ts";
import { ConnectionTokens, type TokenKind } from "../../src/oauth/tokens.ts";
import { deriveEncryptionKey } from "../../src/shared/crypto.ts";
import { beginConversation, signUp } from "../support/app.ts";
import { agree, connect, redeem, refresh, register, requestOf, useOf } from "./people.ts";

const tokens = new ConnectionTokens({ keys: configFrom(env).signingKeys, now: Date.now });

/** Returns a token with the same content in the former form, which had no `jti`. */
async function formerly(kind: TokenKind, token: string) {
  const content = await tokens.read(kind, token);
  if (!content) throw new Error("The token can't be read.");
  const { accountEmail, connectionId, generation, binding } = content;
  const [key] = configFrom(env).signingKeys;
  const now = Math.floor(Date.now() / 1000);
  const jwe = await new EncryptJWT({
    con: connectionId,
    gen: generation,
    ...(binding !== "" && { bind: binding }),
  })
    .setProtectedHeader({ alg: "dir", enc: "A256GCM", typ: `mcp-${kind}+jwt`, kid: key.id })
    .setSubject(accountEmail)
    .setIssuer("dynamic-agent-builder")
    .setAudience("dynamic-agent-builder-mcp")
    .setIssuedAt(now)
    .setExpirationTime(now + 60)
    .encrypt(await deriveEncryptionKey(key.secret, "tokens of MCP clients"));
  return `dabo_${jwe}`;
}

it("tokens in the former form stay valid, each as what it is", async () => {
  const person = await signUp();
  const { agentId } = await beginConversation(person);
  const held = await connect(person, agentId);
  const access = await formerly("access", held.access);
  const refreshing = await formerly("refresh", held.refresh);

  expect((await useOf(access, agentId)).status).toBe(200);
  expect((await useOf(refreshing, agentId)).status).toBe(401);
  expect((await refresh(held, access)).status).toBe(400);
  expect((await refresh(held, refreshing)).status).toBe(200);
});

it("codes in the former form can be redeemed", async () => {
  const person = await signUp();
  const { agentId } = await beginConversation(person);
  const program = await register();
  const answer = await agree(person, requestOf(program, agentId));

  const redeemed = await redeem(program, await formerly("code", answer.get("code") ?? ""));

  expect(redeemed.status).toBe(200);
});
