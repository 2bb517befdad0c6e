import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import type { IssuerCode } from "../support/issuer-code.ts";

const SLOW_MS = 6_000;

/**
 * An issuer without memory of who it has sent where: a code says what its token is to hold and how it is to be signed.
 * It checks what a real one checks: the client, the redirect address, the verifier, and that a code is used once.
 * The first part of a path says how it behaves: `well`, `html`, `slow`, `failing`, `other-name`, `html-keys`,
 * `failing-token`, `html-token`, `slow-token`, `broken-client`, and `rotating-…`, which publishes a second key from the
 * second time on.
 */
export async function startIssuer() {
  const [ours, others] = await Promise.all([generateKeyPair("RS256"), generateKeyPair("RS256")]);
  const keys = [{ ...(await exportJWK(ours.publicKey)), kid: "key-1", alg: "RS256", use: "sig" }];
  const second = { ...(await exportJWK(others.publicKey)), kid: "key-2", alg: "RS256", use: "sig" };
  const used = new Set<string>();
  const asked = new Set<string>();

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      response.statusCode = 500;
      response.end(String(error));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // A server that listens on TCP has an address of this shape.
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, mode = "", ...rest] = (request.url ?? "").split("/");
    const issuer = `${origin}/${mode}`;
    const path = rest.join("/");

    if (path === ".well-known/openid-configuration") {
      if (mode === "html") return sendHtml(response);
      if (mode === "slow") return void setTimeout(() => send(response, 200, {}), SLOW_MS);
      if (mode === "failing") return send(response, 500, {});
      return send(response, 200, {
        issuer: mode === "other-name" ? `${origin}/well` : issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/keys`,
      });
    }
    if (path === "keys" && mode === "html-keys") return sendHtml(response);
    if (path === "keys") {
      const isRotated = asked.has(mode) && mode.startsWith("rotating-");
      asked.add(mode);
      return send(response, 200, { keys: isRotated ? [...keys, second] : keys });
    }
    if (path !== "token") return send(response, 404, {});

    if (mode === "failing-token") return send(response, 503, {});
    if (mode === "html-token") return sendHtml(response);
    if (mode === "slow-token") return void setTimeout(() => send(response, 200, {}), SLOW_MS);
    if (mode === "broken-client") return send(response, 401, { error: "invalid_client" });
    return redeem(new URLSearchParams(await readBody(request)), issuer, response);
  }

  async function redeem(form: URLSearchParams, issuer: string, response: ServerResponse): Promise<void> {
    const code = form.get("code") ?? "";
    const script = scriptIn(code);
    const challenge = createHash("sha256")
      .update(form.get("code_verifier") ?? "")
      .digest("base64url");
    const fits =
      script !== undefined &&
      form.get("client_id") === "test-client" &&
      form.get("client_secret") === "test-client-secret" &&
      form.get("redirect_uri") === script.redirectUri &&
      challenge === script.challenge &&
      !used.has(code);
    used.add(code);
    if (!script || !fits)
      return send(response, 400, { error: "invalid_grant", error_description: "<b>secret hint</b>" });

    const now = Math.floor(Date.now() / 1000);
    const all = { iss: issuer, aud: "test-client", iat: now, exp: now + 300, ...script.claims };
    const claims = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
    const idToken = await sign(claims, script.signedBy ?? "ours");
    return send(response, 200, {
      access_token: "an-access-token",
      token_type: "Bearer",
      ...(script.signedBy !== "no-token" && { id_token: idToken }),
    });
  }

  async function sign(claims: object, by: NonNullable<IssuerCode["signedBy"]>): Promise<string> {
    const token = new SignJWT({ ...claims });
    if (by === "client-secret")
      return token
        .setProtectedHeader({ alg: "HS256", kid: "key-1" })
        .sign(new TextEncoder().encode("test-client-secret"));
    if (by === "nobody") {
      const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString("base64url");
      return `${encode({ alg: "none" })}.${encode(claims)}.`;
    }
    const kid = by === "unknown-key" ? "key-2" : "key-1";
    return token
      .setProtectedHeader({ alg: "RS256", kid })
      .sign(by === "ours" ? ours.privateKey : others.privateKey);
  }

  return { url: origin, stop: () => (server.close(), server.closeAllConnections()) };
}

function scriptIn(code: string): IssuerCode | undefined {
  try {
    // Tests write codes in this shape.
    return JSON.parse(Buffer.from(code, "base64url").toString("utf8")) as IssuerCode;
  } catch {
    return undefined;
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

function sendHtml(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/html" });
  response.end("<html>Welcome to the Wi-Fi</html>");
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
