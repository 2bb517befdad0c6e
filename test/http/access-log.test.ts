import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { anonymous, beginConversation, signUp } from "../support/app.ts";
import { say } from "../support/sse.ts";

const log = vi.spyOn(console, "log");
beforeEach(() => void log.mockReset());
afterEach(() => void log.mockReset());

const lines = () => log.mock.calls.map(([line]) => JSON.parse(String(line)) as Record<string, unknown>);

it("writes one line per request with the route, the outcome and a hash of the caller", async () => {
  const [alice, bob] = await Promise.all([signUp(), signUp()]);
  const { agentId } = await beginConversation(alice);
  log.mockReset();

  const answer = await alice("GET", `/agents/${agentId}?token=private`);
  await alice("GET", "/agents");
  await bob("GET", "/agents");
  await anonymous("GET", "/agents");

  const [first, second, third, fourth] = lines();
  expect(log).toHaveBeenCalledTimes(4);
  expect(first).toEqual({
    message: "request",
    method: "GET",
    route: "/agents/:agentId",
    status: 422,
    ms: expect.any(Number),
    requestId: answer.headers.get("x-request-id"),
    caller: expect.stringMatching(/^[0-9a-f]{16}$/u),
  });
  expect(second?.["caller"]).toBe(first?.["caller"]);
  expect(third?.["caller"]).not.toBe(first?.["caller"]);
  expect(fourth).toMatchObject({ status: 401, caller: null });

  const text = JSON.stringify(log.mock.calls);
  for (const secret of [alice.email, alice.token, agentId, "private"]) expect(text).not.toContain(secret);
});

it.each([
  ["GET", "/nothing/at/all?secret=1", null, 404],
  ["PATCH", "/agents", null, 405],
  ["POST", "/agents", "/agents", 400],
])("writes one for %s %s, too", async (method, path, route, status) => {
  const client = await signUp();
  log.mockReset();

  await client(method, path, method === "POST" ? "{" : undefined);

  expect(lines()).toEqual([expect.objectContaining({ method, route, status })]);
});

it("writes one for a stream, when it opens", async () => {
  const client = await signUp();
  const { path } = await beginConversation(client);
  log.mockReset();

  await say(client, path, "Hello");

  const route = "/agents/:agentId/:conversationId/send-message";
  expect(lines()).toEqual([expect.objectContaining({ method: "POST", route, status: 200 })]);
});
