import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Webhook } from "standardwebhooks";
import { expect, it, onTestFinished } from "vitest";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const BODY = '{"type":"run.completed","data":{"title":"Größe"}}';

type Verify = (headers: Record<string, string>, body: string, secret: string, nowMs?: number) => unknown;

/** The function that the guide tells receivers to copy. */
async function documented(): Promise<Verify> {
  const guide = await readFile("docs/webhooks.md", "utf8");
  const [, code = ""] = /```js\n([^]*?)```/u.exec(guide) ?? [];
  const folder = await mkdtemp(join(tmpdir(), "webhooks-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, "verify.mjs");
  await writeFile(file, code);
  const { verifyWebhook } = (await import(pathToFileURL(file).href)) as { verifyWebhook: Verify };
  return verifyWebhook;
}

/** A request that the reference library of Standard Webhooks has signed. */
function signed(at = new Date()) {
  const webhook = new Webhook(SECRET);
  return {
    "webhook-id": "msg_1",
    "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
    "webhook-signature": webhook.sign("msg_1", at, BODY),
  };
}

it("accepts what the reference library has signed, also beside other signatures", async () => {
  const verify = await documented();
  const headers = signed();
  const two = { ...headers, "webhook-signature": `v1,AAAA v1a,xyz ${headers["webhook-signature"]}` };

  expect(verify(headers, BODY, SECRET)).toEqual(JSON.parse(BODY));
  expect(verify(two, BODY, SECRET)).toEqual(JSON.parse(BODY));
});

it("refuses another body, id, time or secret, and what is older than five minutes", async () => {
  const verify = await documented();
  const headers = signed();

  expect(() => verify(headers, `${BODY} `, SECRET)).toThrow("The signature is wrong.");
  expect(() => verify({ ...headers, "webhook-id": "msg_2" }, BODY, SECRET)).toThrow("wrong");
  expect(() => verify(headers, BODY, "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")).toThrow("wrong");
  expect(() => verify({ ...headers, "webhook-signature": "" }, BODY, SECRET)).toThrow("wrong");
  const later = Number(headers["webhook-timestamp"]) + 1;
  expect(() => verify({ ...headers, "webhook-timestamp": String(later) }, BODY, SECRET)).toThrow("wrong");
  expect(() => verify(headers, BODY, SECRET, Date.now() + 301_000)).toThrow("too old");
  expect(() => verify({ ...headers, "webhook-timestamp": "soon" }, BODY, SECRET)).toThrow("too old");
});
