import { expect, it } from "vitest";
import { ada, type Client, signUp, signUpFree, subscribe, table } from "../support/app.ts";
import { injectFault } from "../support/control.ts";

const create = (client: Client, name: string, headers: Record<string, string> = {}) =>
  client("POST", "/agents", { ...ada, agent_name: name }, headers);

const activeKey = ({ email }: Client) => ({ pk: `User#${email}`, sk: "Usage#active" });
const active = (client: Client) => table.get(activeKey(client));
const agentsOf = async (client: Client) => (await client("GET", "/agents")).body as readonly unknown[];

it("refuses an agent beyond the plan's limit", async () => {
  const client = await signUpFree();
  expect((await create(client, "Ada")).status).toBe(201);

  const { status, headers, body } = await create(client, "Bob");

  expect([status, headers.get("retry-after")]).toEqual([429, null]);
  expect(body).toMatchObject({
    code: "limit-exceeded",
    detail: "Agent limit reached (1). Upgrade to create more.",
    limit: 1,
    current: 1,
    tier: "free",
    resets_at: null,
    upgrade_url: "https://app.example.com/pricing",
  });
  expect(headers.get("ratelimit-policy")).toBe('"agents";q=1');
  expect(headers.get("ratelimit")).toBe('"agents";r=0');
  expect(await agentsOf(client)).toHaveLength(1);
});

it("returns the existing agent of that name, whatever the limit", async () => {
  const client = await signUpFree();
  const first = await create(client, "Ada");
  const again = await create(client, "  ada ");
  expect([again.status, again.body]).toEqual([200, first.body]);
});

it("counts agents as they are created and deleted", async () => {
  const client = await signUpFree();
  const { body } = await create(client, "Ada");
  const stamp = expect.stringMatching(/^20\d\d-.*\+00:00$/u);
  const common = {
    ...activeKey(client),
    entity_type: "Usage",
    user_email: client.email,
    period_key: "active",
    messages_used: 0,
    kb_pages_used: 0,
    created_at: stamp,
    updated_at: stamp,
  };
  expect(await active(client)).toEqual({ ...common, agents_active: 1, version: 1 });

  await client("DELETE", `/agents/${body.agent_id}`);
  expect(await active(client)).toEqual({ ...common, agents_active: 0, version: 2 });
  expect((await create(client, "Bob")).status).toBe(201);
  expect(await active(client)).toEqual({ ...common, agents_active: 1, version: 3 });
});

it.each([
  ["missing", undefined],
  ["too high", { agents_active: 40 }],
  ["too low", { agents_active: -3, version: 7 }],
])("counts the existing agents if the stored count is %s", async (_case, written) => {
  const client = await signUpFree();
  await subscribe(client, { plan: "starter" });
  await Promise.all(["Ada", "Bob"].map((name) => create(client, name)));
  await table.remove(activeKey(client));
  if (written) await table.put({ ...activeKey(client), ...written });

  expect((await create(client, "Cleo")).status).toBe(201);
  expect(await active(client)).toMatchObject({ agents_active: 3 });
  expect((await create(client, "Dan")).status).toBe(429);
});

it("accepts exactly one of many concurrent agents at one below the limit", async () => {
  const client = await signUpFree();
  await subscribe(client, { plan: "starter" });
  await Promise.all(["Ada", "Bob"].map((name) => create(client, name)));

  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => create(client, `Agent ${index}`)),
  );

  expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(19);
  expect(await agentsOf(client)).toHaveLength(3);
  expect(await active(client)).toMatchObject({ agents_active: 3 });
});

it("creates all of many concurrent agents within the limit, and counts them", async () => {
  const client = await signUp();
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, index) => create(client, `Agent ${index}`)),
  );
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
  expect(await active(client)).toMatchObject({ agents_active: 12, version: 12 });
});

it("counts correctly when agents are created and deleted concurrently", async () => {
  const client = await signUp();
  const made = await Promise.all(Array.from({ length: 6 }, (_, index) => create(client, `Old ${index}`)));

  const answers = await Promise.all([
    ...made.map(({ body }) => client("DELETE", `/agents/${body.agent_id}`)),
    ...Array.from({ length: 4 }, (_, index) => create(client, `New ${index}`)),
  ]);

  expect(answers.map(({ status }) => status)).toEqual([...made.map(() => 204), 201, 201, 201, 201]);
  expect(await agentsOf(client)).toHaveLength(4);
  // The next creation or deletion stores the correct count.
  await create(client, "Last");
  expect(await active(client)).toMatchObject({ agents_active: 5 });
});

it("returns the agent of a repeated keyed request, even if it was the last one allowed", async () => {
  const client = await signUpFree();
  const key = { "idempotency-key": crypto.randomUUID() };
  await injectFault({
    match: [`User#${client.email}`],
    operation: "TransactWriteItems",
    times: 4,
    fault: { kind: "lose-answer" },
  });

  expect((await create(client, "Ada", key)).status).toBe(503);
  const again = await create(client, "Ada", key);

  expect([again.status, again.body.agent_name]).toEqual([201, "Ada"]);
  expect(await active(client)).toMatchObject({ agents_active: 1, version: 1 });
});
