import { beforeAll, expect, it } from "vitest";
import { anonymous, beginConversation, type Client, signUp } from "../support/app.ts";
import { beginVisit, createKey, pageWith, SHOP, type ShownKey, visitorOf } from "../support/widget.ts";

const EVIL = "https://evil.example";

let owner: Client;
let key: ShownKey;
beforeAll(async () => {
  owner = await signUp();
  const { agentId } = await beginConversation(owner);
  key = await createKey(owner, agentId, { allowed_origins: [SHOP] });
});

const corsOf = ({ headers }: { readonly headers: Headers }) => [
  headers.get("access-control-allow-origin"),
  headers.get("access-control-allow-credentials"),
];

it("lets the pages of a key read its answers and streams, without credentials", async () => {
  const visitor = await visitorOf(key, SHOP);
  const { base, path } = await beginVisit(visitor);

  for (const answer of [
    await visitor("GET", "/widget/config"),
    await visitor("POST", path, { content: "Hello" }),
    await visitor("GET", path),
    await visitor("GET", `${base}/runs/active/events`),
  ]) {
    expect(answer.status).toBeLessThan(300);
    expect(corsOf(answer)).toEqual([SHOP, null]);
    expect(answer.headers.get("vary")).toContain("Origin");
    expect(answer.headers.get("access-control-expose-headers")?.split(",")).toEqual(
      expect.arrayContaining(["Next-Cursor", "Retry-After", "X-Run-Id"]),
    );
  }
});

it("lets every page read why it is refused, and nothing else", async () => {
  const { token } = await visitorOf(key, SHOP);

  const refused = await pageWith({ key: key.public_key, origin: EVIL, token })(
    "GET",
    "/widget/conversations",
  );
  const keyless = await pageWith({ origin: EVIL, token })("GET", "/widget/conversations");

  expect([refused.status, keyless.status]).toEqual([403, 401]);
  expect([corsOf(refused), corsOf(keyless)]).toEqual([
    [EVIL, null],
    [EVIL, null],
  ]);
});

it.each([
  ["GET", "/widget/config"],
  ["POST", "/widget/visitors"],
  ["POST", "/widget/conversations"],
  ["POST", "/widget/conversations/x/messages"],
  ["GET", "/widget/conversations/x/runs/active/events"],
])("answers the preflight of %s %s, in which no key is known", async (method, path) => {
  const answer = await anonymous("OPTIONS", path, undefined, {
    origin: SHOP,
    "access-control-request-method": method,
    "access-control-request-headers": "authorization,content-type,idempotency-key,x-api-key",
  });

  expect(answer.status).toBe(204);
  expect(corsOf(answer)).toEqual([SHOP, null]);
  const allowed = answer.headers.get("access-control-allow-headers")?.toLowerCase().split(",");
  expect(allowed).toEqual(
    expect.arrayContaining(["authorization", "content-type", "idempotency-key", "x-api-key"]),
  );
});

it.each([
  ["GET", "/agents"],
  ["GET", "/widget/auth/google"],
  ["GET", "/widget/nothing"],
])("lets no foreign page read %s %s", async (method, path) => {
  const answer = await anonymous(method, path, undefined, { origin: EVIL });
  const preflight = await anonymous("OPTIONS", path, undefined, {
    origin: EVIL,
    "access-control-request-method": method,
  });

  expect([corsOf(answer)[0], corsOf(preflight)[0]]).toEqual([null, null]);
});
