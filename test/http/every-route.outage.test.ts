import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { anonymous, type Client, signUp } from "../support/app.ts";
import { injectFault } from "../support/control.ts";
import { GUARDED_WITH_PROBLEMS, type Place, problem, ROUTES, createPlace, sendTo } from "./route-cases.ts";

const failure = { kind: "answer", status: 500, body: { __type: "x#InternalServerError" } } as const;
const sentence = "The database is not answering at the moment. Please try again.";

// A database that is down changes nothing, so one account meets every route.
let client: Client;
let place: Place;
beforeAll(async () => {
  client = await signUp();
  place = await createPlace(client);
});

describe("a database that is down", () => {
  beforeEach(() => injectFault({ match: [client.email], times: 1_000, fault: failure }));

  describe.each(GUARDED_WITH_PROBLEMS)("$route", (route) => {
    // Scenario 11.
    it("is reported, with the time to retry", async () => {
      const { status, headers, body } = await sendTo(client, route, place);

      expect(status).toBe(503);
      expect(headers.get("content-type")).toBe("application/problem+json");
      expect(headers.get("retry-after")).toBe("1");
      expect(body).toEqual(problem(503, "unavailable", sentence));
    });
  });

  it("is reported to clients of the Model Context Protocol in the form of JSON-RPC", async () => {
    const message = { jsonrpc: "2.0", id: 1, method: "tools/list" };
    const { status, headers, body } = await client("POST", `/mcp/agents/${place.agentId}`, message);

    expect(status).toBe(503);
    expect(headers.get("content-type")).toBe("application/json");
    expect(headers.get("retry-after")).toBe("1");
    const data = { code: "unavailable", request_id: expect.any(String) };
    expect(body).toEqual({ jsonrpc: "2.0", id: null, error: { code: -32000, message: sentence, data } });
  });
});

// Routes without a body identify the account by a cookie; test/auth has their outages.
it.each(ROUTES.filter(({ isPublic, body, isIndependent }) => isPublic && body && !isIndependent))(
  "$route reports that the database is down",
  async (route) => {
    const username = `user-${crypto.randomUUID().slice(0, 13)}`;
    await injectFault({ match: [username], times: 1_000, fault: failure });

    const { status, headers, body } = await sendTo(anonymous, {
      ...route,
      body: { ...route.body, username },
    });

    expect(status).toBe(503);
    expect(headers.get("retry-after")).toBe("1");
    expect(body).toEqual(problem(503, "unavailable", sentence));
  },
);

it.each([
  ["connections that break", { kind: "refuse" }],
  ["a proxy's page instead of an answer", { kind: "answer", status: 502, body: "<html>Bad gateway" }],
] as const)("answers 503 to %s, without their content", async (_case, fault) => {
  const client = await signUp();
  await injectFault({ match: [client.email], times: 1_000, fault });

  const { status, body } = await client("GET", "/agents");

  expect(status).toBe(503);
  expect(body).toEqual(problem(503, "unavailable", sentence));
});

it("reveals nothing of a request that the database calls invalid", async () => {
  const client = await signUp();
  const body = { __type: "com.amazon.coral.validate#ValidationException", message: "The table said this" };
  await injectFault({ match: [client.email], times: 1_000, fault: { kind: "answer", status: 400, body } });

  const answer = await client("GET", "/agents");

  expect(answer.status).toBe(500);
  expect(answer.body).toEqual(problem(500, "internal", "Something went wrong on our side."));
});

it("recovers with the database", async () => {
  const client = await signUp();
  await injectFault({ match: [client.email], times: 20, fault: failure });
  expect((await client("GET", "/agents")).status).toBe(503);

  await expect.poll(async () => (await client("GET", "/agents")).status).toBe(200);
});
