import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, jwtVerify, SignJWT } from "jose";
import type { IssuerCode } from "../support/issuer-code.ts";
import { ISSUER_PROFILES, type IssuerProfile, PLAIN_PROFILE } from "./issuer-profiles.ts";

const SLOW_MS = 6_000;

/**
 * An issuer without state: a code states what its token contains and how it is signed.
 * It checks what a real one checks: the client, the redirect address, the verifier, and that a code is used once.
 * The first part of a path states how it behaves: `well`, `html`, `slow`, `failing`, `other-name`, `html-keys`,
 * `failing-token`, `html-token`, `slow-token`, `broken-client`, `rotating-…`, which publishes a second key from the
 * second time on, and the names of `ISSUER_PROFILES`.
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
    const profile = ISSUER_PROFILES[mode] ?? PLAIN_PROFILE;
    const base = `${origin}/${mode}`;
    const issuer = profile.endsWithSlash === true ? `${base}/` : base;
    const path = rest.join("/");

    if (path === ".well-known/openid-configuration") {
      if (mode === "html") return sendHtml(response);
      if (mode === "slow") return void setTimeout(() => send(response, 200, {}), SLOW_MS);
      if (mode === "failing") return send(response, 500, {});
      return send(response, 200, {
        issuer: mode === "other-name" ? `${origin}/well` : issuer,
        authorization_endpoint: `${base}/authorize`,
        token_endpoint: `${base}/token`,
        jwks_uri: `${base}/keys`,
        ...(profile.inUserInfo && { userinfo_endpoint: `${base}/userinfo` }),
        ...profile.metadata,
      });
    }
    if (path === "keys" && mode === "html-keys") return sendHtml(response);
    if (path === "keys") {
      const isRotated = asked.has(mode) && mode.startsWith("rotating-");
      asked.add(mode);
      return send(response, 200, { keys: isRotated ? [...keys, second] : keys });
    }
    if (path === "userinfo" && profile.inUserInfo)
      return send(response, 200, profile.inUserInfo(subjectOf(request)));
    if (path !== "token") return send(response, 404, {});

    if (mode === "failing-token") return send(response, 503, {});
    if (mode === "html-token") return sendHtml(response);
    if (mode === "slow-token") return void setTimeout(() => send(response, 200, {}), SLOW_MS);
    if (mode === "broken-client") return send(response, 401, { error: "invalid_client" });
    const form = new URLSearchParams(await readBody(request));
    const method = await clientAuthOf(request, form, [issuer, `${base}/token`]);
    if (!profile.accepts.includes(method)) return send(response, 401, { error: "invalid_client" });
    return redeem(form, { issuer, profile }, response);
  }

  async function redeem(
    form: URLSearchParams,
    { issuer, profile }: { issuer: string; profile: IssuerProfile },
    response: ServerResponse,
  ): Promise<void> {
    const code = form.get("code") ?? "";
    const script = scriptIn(code);
    const challenge = createHash("sha256")
      .update(form.get("code_verifier") ?? "")
      .digest("base64url");
    const fits =
      script !== undefined &&
      form.get("redirect_uri") === script.redirectUri &&
      challenge === script.challenge &&
      !used.has(code);
    used.add(code);
    if (!script || !fits)
      return send(response, 400, { error: "invalid_grant", error_description: "<b>secret hint</b>" });

    const now = Math.floor(Date.now() / 1000);
    const all = {
      iss: issuer,
      aud: "test-client",
      iat: now,
      exp: now + 300,
      ...(profile.inToken ?? whole)(script.claims),
    };
    const claims = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
    const idToken = await sign(claims, script.signedBy ?? "ours");
    return send(response, 200, {
      access_token: Buffer.from(JSON.stringify(script.claims)).toString("base64url"),
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

const whole = (claims: Readonly<Record<string, unknown>>) => claims;

/** The claims of the person whom an access token is for. */
function subjectOf({ headers }: IncomingMessage): Record<string, unknown> {
  const token = (headers.authorization ?? "").replace(/^Bearer /u, "");
  return JSON.parse(Buffer.from(token, "base64url").toString("utf8"));
}

/** How the client has authenticated, or `refused` if its secret is not the right one. */
async function clientAuthOf(
  { headers }: IncomingMessage,
  form: URLSearchParams,
  audience: string[],
): Promise<string> {
  const { authorization = "" } = headers;
  if (authorization !== "") {
    const right = `Basic ${Buffer.from("test-client:test-client-secret").toString("base64")}`;
    return authorization === right ? "client_secret_basic" : "refused";
  }
  if (form.get("client_id") !== "test-client") return "refused";
  const assertion = form.get("client_assertion");
  if (assertion !== null) {
    const key = new TextEncoder().encode("test-client-secret");
    const expected = { issuer: "test-client", subject: "test-client", audience };
    return jwtVerify(assertion, key, expected).then(
      () => "client_secret_jwt",
      () => "refused",
    );
  }
  const secret = form.get("client_secret");
  if (secret === null) return "none";
  return secret === "test-client-secret" ? "client_secret_post" : "refused";
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
