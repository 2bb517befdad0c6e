import { expect, it } from "vitest";
import { problem } from "../http/route-cases.ts";
import { type Client, signUp, table } from "../support/app.ts";

const HOOK = { url: "https://hooks.example.com/agents", events: ["run.completed", "run.failed"] };

const create = async (client: Client, changes: object = {}) =>
  client("POST", "/webhooks", { ...HOOK, ...changes });

const wantedBy = async ({ email }: Client) =>
  (await table.get({ pk: `User#${email}`, sk: "TurnWebhooks" }))?.["event_types"];

it("shows the secret of an endpoint in the first answer only, and stores it encrypted", async () => {
  const client = await signUp();

  const { status, body } = await create(client, { description: "Back end" });

  expect([status, body]).toEqual([
    201,
    {
      webhook_id: expect.any(String),
      ...HOOK,
      description: "Back end",
      enabled: true,
      disabled_reason: null,
      disabled_at: null,
      secret: expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/u),
      secret_hint: `whsec_…${String(body.secret).slice(-5)}`,
      previous_secret_expires_at: null,
      created_at: expect.any(String),
      updated_at: null,
    },
  ]);
  const { secret, ...shown } = body;
  const listed = await client("GET", "/webhooks");
  expect(listed.body).toEqual({ items: [shown], next_cursor: null, has_more: false });
  expect((await client("GET", `/webhooks/${body.webhook_id}`)).body).toEqual(shown);
  const stored = await table.query(`User#${client.email}`, { range: { beginsWith: "Webhook" } });
  expect(stored).toHaveLength(1);
  expect(JSON.stringify(stored)).not.toContain(String(secret).slice("whsec_".length, -5));
});

it("creates one endpoint for one idempotency key, and does not show its secret again", async () => {
  const client = await signUp();
  const headers = { "idempotency-key": "once" };

  const first = await client("POST", "/webhooks", HOOK, headers);
  const second = await client("POST", "/webhooks", HOOK, headers);

  expect(second).toMatchObject({ status: 409, body: { webhook_id: first.body.webhook_id } });
  expect((await client("GET", "/webhooks")).body.items).toHaveLength(1);
});

it("refuses the eleventh endpoint, even if several are created at the same time", async () => {
  const client = await signUp();
  for (let n = 0; n < 8; n++) await create(client);

  // Concurrent creations may also get in each other's way; then they are asked to try again.
  const outcomes = await Promise.all([1, 2, 3, 4].map(() => create(client)));
  while (outcomes.filter(({ status }) => status === 201).length < 2) outcomes.push(await create(client));
  const refused = await create(client);

  expect(refused).toMatchObject({
    status: 409,
    body: { detail: "An account can have 10 webhook endpoints. Delete one that you no longer need." },
  });
  expect((await client("GET", "/webhooks")).body.items).toHaveLength(10);
});

it("changes what was sent and nothing else, and keeps which events the enabled endpoints want", async () => {
  const client = await signUp();
  const { body: first } = await create(client);
  const { body: second } = await create(client, { events: ["end_user.deleted"] });
  expect(await wantedBy(client)).toEqual(["run.completed", "run.failed", "end_user.deleted"]);

  const path = `/webhooks/${first.webhook_id}`;
  const disabled = await client("PATCH", path, { enabled: false, description: "Old" });
  expect(disabled.body).toMatchObject({
    ...HOOK,
    description: "Old",
    enabled: false,
    disabled_reason: null,
    disabled_at: expect.any(String),
  });
  expect(await wantedBy(client)).toEqual(["end_user.deleted"]);

  const enabled = await client("PATCH", path, { enabled: true, events: ["memory.changed"] });
  expect(enabled.body).toMatchObject({ description: "Old", enabled: true, disabled_at: null });
  expect(await wantedBy(client)).toEqual(["memory.changed", "end_user.deleted"]);

  for (const { webhook_id } of [first, second])
    expect((await client("DELETE", `/webhooks/${webhook_id}`)).status).toBe(204);
  expect(await wantedBy(client)).toEqual([]);
  expect((await client("GET", path)).status).toBe(404);
});

it.each([
  [{ url: "not an address" }, "url can't be used. It is not a complete web address."],
  [{ url: "ftp://hooks.example.com" }, "url can't be used. It has to be a web address"],
  [{ url: "https://me:secret@hooks.example.com" }, "url can't be used. It must not contain a user name"],
  [{ url: `https://hooks.example.com/${"x".repeat(2_000)}` }, "url"],
  [{ events: [] }, "events"],
  [{ events: ["run.exploded"] }, "events"],
  [{ events: ["webhook.test"] }, "events"],
  [{ description: "Two\nlines" }, "description must be one line of text"],
  [{ secret: "whsec_mine" }, "secret"],
])("refuses an endpoint with %j", async (changes, words) => {
  const client = await signUp();

  const { status, body } = await create(client, changes);

  expect([status, body.detail]).toEqual([422, expect.stringContaining(words)]);
  expect((await client("GET", "/webhooks")).body.items).toEqual([]);
});

it("knows nothing of other accounts' endpoints", async () => {
  const [owner, stranger] = await Promise.all([signUp(), signUp()]);
  const { body } = await create(owner);
  const path = `/webhooks/${body.webhook_id}`;
  const absent = problem(404, "not-found", "Webhook endpoint not found");

  for (const [method, more, sent] of [
    ["GET", ""],
    ["PATCH", "", { enabled: false }],
    ["POST", "/rotate-secret"],
    ["POST", "/test"],
    ["GET", "/deliveries"],
    ["GET", "/deliveries/018f0000-0000-7000-8000-000000000000"],
    ["POST", "/deliveries/018f0000-0000-7000-8000-000000000000/redeliver"],
  ] as const) {
    const answer = await stranger(method, `${path}${more}`, sent);
    expect([answer.status, answer.body]).toEqual([404, absent]);
  }
  expect((await stranger("DELETE", path)).status).toBe(204);

  expect((await owner("GET", path)).body).toMatchObject({ enabled: true, updated_at: null });
});
