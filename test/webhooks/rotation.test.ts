import { expect, it } from "vitest";
import { type Client, signUp, table } from "../support/app.ts";
import { endFaults, injectFault } from "../support/control.ts";
import { createWebhook } from "../support/webhooks.ts";

/** Nothing is delivered to it. */
const RECEIVER = { hook: "http://127.0.0.1:9/hook" };

async function endpointOf(client: Client) {
  const { id, path, secret } = await createWebhook(client, RECEIVER);
  const rotate = (key?: string, body?: object) =>
    client("POST", `${path}/rotate-secret`, body, key === undefined ? {} : { "idempotency-key": key });
  const stored = () => table.get({ pk: `User#${client.email}`, sk: `WebhookEndpoint#${id}` });
  const signing = async () => {
    const secrets = (await stored())?.["signing_secrets"];
    return Array.isArray(secrets) ? secrets.length : 0;
  };
  return { path, secret, rotate, signing, stored };
}

it("rotates once for the same idempotency key, however often the answer is lost", async () => {
  const { secret, rotate, signing, stored } = await endpointOf(await signUp());

  const answers = [await rotate("key-1"), ...(await Promise.all([1, 2, 3].map(() => rotate("key-1"))))];

  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  const [first] = answers;
  expect(first?.body.secret).not.toBe(secret);
  for (const { body } of answers) expect(body).toEqual(first?.body);
  expect(await signing()).toBe(2);
  expect(JSON.stringify(await stored())).not.toContain(first?.body.secret);
  const next = await rotate("key-2");
  expect(next.body.secret).not.toBe(first?.body.secret);
  expect(await signing()).toBe(3);
});

it("returns the same secret to a repeat after an error that hid the rotation", async () => {
  const { rotate, signing, stored } = await endpointOf(await signUp());
  const id = String((await stored())?.["webhook_id"]);
  // The write happens, and its answer is lost.
  await injectFault({
    match: [`WebhookEndpoint#${id}`],
    operation: "TransactWriteItems",
    times: 20,
    fault: { kind: "lose-answer" },
  });

  const lost = await rotate("key-1");
  await endFaults();
  const [one, other] = [await rotate("key-1"), await rotate("key-1")];

  expect(lost.status).toBe(503);
  expect([one.status, other.status]).toEqual([200, 200]);
  expect(one.body.secret).toBe(other.body.secret);
  expect(await signing()).toBe(2);
});

it("refuses the repeat of a rotation whose secret was replaced since, and rotates nothing", async () => {
  const { rotate, signing } = await endpointOf(await signUp());
  await rotate("key-1", { overlap_hours: 0 });
  const second = await rotate("key-2", { overlap_hours: 0 });

  const late = await rotate("key-1", { overlap_hours: 0 });

  expect([late.status, late.body.code]).toEqual([409, "conflict"]);
  expect(late.body.detail).toContain("replaced");
  expect(await signing()).toBe(1);
  expect((await rotate("key-2", { overlap_hours: 0 })).body.secret).toBe(second.body.secret);
});

it("refuses another body under the same idempotency key", async () => {
  const { rotate } = await endpointOf(await signUp());
  await rotate("key-1", { overlap_hours: 1 });

  expect((await rotate("key-1", { overlap_hours: 0 })).status).toBe(422);
});

it("never ends a secret before its time unless it is asked to: without a key, the third rotation is refused", async () => {
  const { rotate, signing } = await endpointOf(await signUp());

  const answers = [await rotate(), await rotate(), await rotate()];

  expect(answers.map(({ status }) => status)).toEqual([200, 200, 409]);
  expect(answers[2]?.body.detail).toContain("overlap_hours");
  expect(await signing()).toBe(3);
  expect((await rotate(undefined, { overlap_hours: 0 })).status).toBe(200);
  expect(await signing()).toBe(1);
});
