import { beforeAll, describe, expect, it } from "vitest";
import { ada, type Client, signUp } from "../support/app.ts";
import { methodOf, pathOf, readerOf, WITH_BODY } from "./route-cases.ts";

/** The words of the validation library, which are for programmers. */
const LIBRARY =
  /Invalid (input|option|string)|Too (small|big)|expected|received|Unrecognized|undefined|NaN|zod/iu;

let client: Client;
beforeAll(async () => {
  client = await signUp();
});

describe("a sentence about invalid input", () => {
  it.each<[Record<string, unknown>, string]>([
    [{ agent_name: undefined }, "agent_name is required."],
    [{ agent_name: 5 }, "agent_name must be text."],
    [{ agent_name: "  " }, "agent_name must not be empty."],
    [{ agent_name: "x".repeat(201) }, "agent_name must have at most 200 characters."],
    [{ agent_architecture: "nope" }, "agent_architecture must be one of: krishna-mini, krishna-memgpt."],
    [
      { session_timeout_minutes: "soon" },
      "session_timeout_minutes must be a whole number between 0 and 43200.",
    ],
    [{ session_timeout_minutes: 0.5 }, "session_timeout_minutes must be a whole number between 0 and 43200."],
    [{ temperature: 3 }, "temperature must be a number between 0 and 2."],
    [{ allowed_origins: "x" }, "allowed_origins must be a list."],
  ])("about the body %j is readable", async (more, message) => {
    const { status, body } = await client("POST", "/agents", { ...ada, ...more });

    expect([status, body.detail]).toEqual([422, `The body is not valid: ${message}`]);
  });

  it.each([
    ["/conversations?limit=0", "limit must be a whole number between 1 and 100."],
    ["/conversations?limit=many", "limit must be a whole number between 1 and 100."],
    ["/usage/tokens?group_by=hour", "group_by must be one of: agent, model, day."],
    ["/usage/tokens?from=yesterday", "from must be a date such as 2026-06-01."],
  ])("about the query of %s is readable", async (path, message) => {
    const { status, body } = await client("GET", path);

    expect([status, body.detail]).toEqual([422, `The query is not valid: ${message}`]);
  });

  it("names the element of a list", async () => {
    const items = [{ content: "One" }, { content: "Two", occurred_at: "yesterday" }];
    const { body } = await client("POST", "/agents/x/archival-memory/batch", { items });

    expect(body.errors[0].message).toBe(
      "items.1.occurred_at must be a date such as 2026-06-01, or a date and time such as 2026-06-01T12:00:00Z.",
    );
  });

  it.each(WITH_BODY)("never quotes the validation library: $route", async (route) => {
    const members = Object.keys(route.body ?? {});
    const wrong = [5, "", "x", "x".repeat(50_000), [], [5], {}, true, -1];

    for (const member of members)
      for (const value of wrong) {
        if (route.route === "POST /auth/local/signup" || route.route === "POST /contact/submit") continue;
        const sender = readerOf(client, route);
        const { body } = await sender(methodOf(route), pathOf(route), { ...route.body, [member]: value });
        for (const { message } of body.errors ?? []) expect(message).not.toMatch(LIBRARY);
      }
  });
});

describe("a rule that a schema cannot express", () => {
  const soon = { name: "Ci", scopes: ["agents:read"] };

  it.each<[string, string, Record<string, unknown>, string]>([
    [
      "/agents",
      "allowed_origins.0",
      { ...ada, allowed_origins: ["x"] },
      "an origin such as https://app.example.com.",
    ],
    ["/agents/x/archival-memory", "content", { content: " " }, "must not be blank."],
    ["/agents/x/archival-memory", "content", { content: "x".repeat(103_000) }, "must have at most 100 KB."],
    ["/agents/x/memory-blocks", "name", { name: "A b", description: "d" }, "and begin with a letter."],
    ["/agents/x/client-tokens", "end_user_id", { end_user_id: "a b" }, "and the characters ._@:-"],
    ["/api-keys", "expires_at", { ...soon, expires_at: "2020-01-01T00:00:00Z" }, "must be in the future."],
    ["/conversations/", "title", { title: "\ud800", agent_id: "x" }, "is not well-formed Unicode."],
  ])("is reported in a sentence about the member: %s %s", async (path, member, sent, end) => {
    const { status, body } = await client("POST", path, sent);

    expect([status, body.errors?.length]).toEqual([422, 1]);
    const { message } = body.errors[0];
    expect([message.split(" ")[0], message.slice(-end.length)]).toEqual([member, end]);
    expect(body.detail).toBe(`The body is not valid: ${message}`);
  });

  it("is reported for a query in the same way", async () => {
    const { body } = await client("GET", "/agents/x/archival-memory/search?query=a&after=soon");

    expect(body.detail).toBe("The query is not valid: after must be a date or a time, such as 2024-05-31.");
  });
});
