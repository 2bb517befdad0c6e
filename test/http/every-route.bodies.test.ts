import { beforeAll, describe, expect, it } from "vitest";
import { anonymous, type Client, signUp } from "../support/app.ts";
import { checkingProblems } from "./described-problems.ts";
import { methodOf, pathOf, problem, readerOf, type RouteCase, WITH_BODY } from "./route-cases.ts";

const SECRET = "hunter2-is-what-was-submitted";

let user: Client;
beforeAll(async () => {
  user = await signUp();
});

const clientFor = (route: RouteCase): Client =>
  checkingProblems(readerOf(route.isPublic ? anonymous : user, route));

/** Sentences that begin with the name of the member are not given it again. */
const said = (member: string, message: string): string =>
  message.startsWith(`${member} `) ? message : `${member}: ${message}`;

const cases = WITH_BODY.map((route) => ({ ...route, body: route.body ?? {} }));

describe.each(cases)("$route", (route) => {
  const send = (body: unknown, headers: Record<string, string> = {}) =>
    clientFor(route)(methodOf(route), pathOf(route), body, headers);

  it.each([
    ["that breaks off", '{"a":'],
    ["that is empty", " "],
    ["with a comma too many", '{"a":1,}'],
    ["in single quotes", "{'a':1}"],
  ])("refuses JSON %s", async (_case, text) => {
    const { status, headers, body } = await send(text);

    expect(status).toBe(400);
    expect(headers.get("content-type")).toBe("application/problem+json");
    expect(body).toEqual(problem(400, "malformed-request", "Malformed JSON in request body"));
  });

  it.each([
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "application/jsonp",
    "",
  ])("refuses a body of type %j, whatever its content", async (type) => {
    const { status, body } = await send(JSON.stringify(route.body), { "content-type": type });

    expect(status).toBe(400);
    expect(body).toEqual(
      problem(400, "malformed-request", "Send the body as JSON, with `content-type: application/json`."),
    );
  });

  it.each([
    ["a list", []],
    ["a text", SECRET],
    ["nothing", null],
  ])("refuses %s instead of an object", async (_case, value) => {
    const { status, body } = await send(JSON.stringify(value));

    expect(status).toBe(422);
    expect(body.code).toBe("validation-failed");
    expect(JSON.stringify(body)).not.toContain(SECRET);
  });

  it.each(Object.keys(route.body))("names %s if its type is wrong, and never its value", async (member) => {
    const isObject = typeof route.body[member] === "object" && !Array.isArray(route.body[member]);
    const wrong = isObject ? SECRET : { [SECRET]: [SECRET] };

    const { status, headers, body } = await send({ ...route.body, [member]: wrong });

    expect(status).toBe(422);
    expect(headers.get("content-type")).toBe("application/problem+json");
    const errors = [{ path: [member], message: expect.any(String), code: expect.any(String) }];
    expect(body).toEqual(
      problem(422, "validation-failed", `The body is not valid: ${said(member, body.errors[0].message)}`, {
        errors,
      }),
    );
    expect(JSON.stringify(body)).not.toContain(SECRET);
  });

  // Ids are looked up: half a pair in one is an id that nothing has.
  const texts = Object.keys(route.body).filter((member) => !member.endsWith("_id"));

  it.each(texts)("refuses half a surrogate pair in %s", async (member) => {
    // As an escape: no encoding of a request could carry it otherwise.
    const text = JSON.stringify({ ...route.body, [member]: "PLACE" }).replace("PLACE", `${SECRET}\\ud800`);

    const { status, body } = await send(text);

    expect(status).toBe(422);
    expect(body.code).toBe("validation-failed");
    expect(body.errors).toEqual([{ path: [member], message: expect.any(String), code: expect.any(String) }]);
    expect(JSON.stringify(body)).not.toContain(SECRET);
  });

  it("refuses a body above its limit, and accepts one below it", async () => {
    const limit = route.limit ?? 64;
    const bodyOf = (bytes: number) => JSON.stringify(route.body) + " ".repeat(bytes);

    const over = await send(bodyOf(limit * 1024));
    const below = await send(bodyOf(limit * 1024 - 1_024));

    expect(over.status).toBe(413);
    expect(over.body).toEqual(problem(413, "payload-too-large", `The body must not exceed ${limit} KB.`));
    expect([400, 413, 422]).not.toContain(below.status);
  });

  it("counts the bytes of a body without a stated length", async () => {
    const chunk = new TextEncoder().encode(" ".repeat(64 * 1024));
    let left = Math.max(16, (route.limit ?? 0) / 64) + 1;
    const stream = new ReadableStream({
      pull: (controller) => (left-- > 0 ? controller.enqueue(chunk) : controller.close()),
    });

    const headers = { "content-type": "application/json" };
    const sent = await clientFor(route).raw(methodOf(route), pathOf(route), undefined, {
      headers,
      body: stream,
    });

    expect(sent.response.status).toBe(413);
    await sent.response.text();
    await sent.ended();
  });
});
