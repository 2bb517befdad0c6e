import { describe, expect, it } from "vitest";
import { anonymous, signUp } from "../support/app.ts";
import { injectFault } from "../support/control.ts";
import { GUARDED, problem, ROUTES, somewhere, visit } from "./route-cases.ts";

const failure = { kind: "answer", status: 500, body: { __type: "x#InternalServerError" } } as const;
const sentence = "The database is not answering at the moment. Please try again.";

describe.each(GUARDED)("$route", (route) => {
  it("says that the database is down, and when to come back", async () => {
    const client = await signUp();
    const place = await somewhere(client);
    await injectFault({ match: [client.email], times: 1_000, fault: failure });

    const { status, headers, body } = await visit(client, route, place);

    expect(status).toBe(503);
    expect(headers.get("content-type")).toBe("application/problem+json");
    expect(headers.get("retry-after")).toBe("1");
    expect(body).toEqual(problem(503, "unavailable", sentence));
  });
});

// Those without a body are told by a cookie whom they are about: test/auth has their outages.
it.each(ROUTES.filter(({ isPublic, body, isIndependent }) => isPublic && body && !isIndependent))(
  "$route says that the database is down",
  async (route) => {
    const username = `user-${crypto.randomUUID().slice(0, 13)}`;
    await injectFault({ match: [username], times: 1_000, fault: failure });

    const { status, headers, body } = await visit(anonymous, { ...route, body: { ...route.body, username } });

    expect(status).toBe(503);
    expect(headers.get("retry-after")).toBe("1");
    expect(body).toEqual(problem(503, "unavailable", sentence));
  },
);

it.each([
  ["connections that break", { kind: "refuse" }],
  ["a page of a proxy instead of an answer", { kind: "answer", status: 502, body: "<html>Bad gateway" }],
] as const)("answers 503 to %s, and shows nothing of them", async (_case, fault) => {
  const client = await signUp();
  await injectFault({ match: [client.email], times: 1_000, fault });

  const { status, body } = await client("GET", "/agents");

  expect(status).toBe(503);
  expect(body).toEqual(problem(503, "unavailable", sentence));
});

it("shows nothing of a request that the database calls invalid", async () => {
  const client = await signUp();
  const body = { __type: "com.amazon.coral.validate#ValidationException", message: "The table said this" };
  await injectFault({ match: [client.email], times: 1_000, fault: { kind: "answer", status: 400, body } });

  const answer = await client("GET", "/agents");

  expect(answer.status).toBe(500);
  expect(answer.body).toEqual(problem(500, "internal", "Something went wrong on our side."));
});

it("is well again when the database is", async () => {
  const client = await signUp();
  await injectFault({ match: [client.email], times: 20, fault: failure });
  expect((await client("GET", "/agents")).status).toBe(503);

  await expect.poll(async () => (await client("GET", "/agents")).status, { timeout: 10_000 }).toBe(200);
});
