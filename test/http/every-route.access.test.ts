import { describe, expect, it } from "vitest";
import { anonymous, signUp, table } from "../support/app.ts";
import {
  comparable,
  GUARDED,
  nowhere,
  pathOf,
  type Place,
  problem,
  somewhere,
  visit,
  WITH_ID,
} from "./route-cases.ts";

/** Texts that can't be ids: for a table's keys, for a path, or at all. */
const MALFORMED = [
  "nonsense",
  "a%23b",
  "%00",
  "..%2F..",
  "%F0%9F%92%A9",
  "x".repeat(1_100),
  "x".repeat(3_000),
];

describe.each(GUARDED)("$route", (route) => {
  it("asks for a token", async () => {
    const { status, headers, body } = await visit(anonymous, route);

    expect(status).toBe(401);
    expect(headers.get("content-type")).toBe("application/problem+json");
    expect(headers.get("www-authenticate")).toBe("Bearer");
    expect(body).toEqual(
      problem(401, "unauthenticated", "Missing or invalid authorization header", { instance: body.instance }),
    );
  });

  it("refuses a deactivated account, and writes nothing for it", async () => {
    const client = await signUp();
    const place = await somewhere(client);
    await table.update({ pk: `User#${client.email}`, sk: "User#Metadata" }, { set: { status: "inactive" } });
    const before = await partitionsOf(client.email, place);

    const { status, body } = await visit(client, route, place);

    expect(status).toBe(403);
    expect(body).toEqual(problem(403, "forbidden", "Account has been deactivated"));
    expect(await partitionsOf(client.email, place)).toEqual(before);
  });

  it("refuses an account that is gone, however long its token runs", async () => {
    const client = await signUp();
    await table.remove({ pk: `User#${client.email}`, sk: "User#Metadata" });

    const { status, body } = await visit(client, route);

    expect(status).toBe(401);
    expect(body).toEqual(problem(401, "unauthenticated", "User not found"));
  });

  it("answers a HEAD request, or refuses it, without a body and only with a token", async () => {
    const path = pathOf(route);
    const client = await signUp();

    const open = await anonymous.raw("HEAD", path);
    const known = await client.raw("HEAD", path);

    expect(open.response.status).toBe(401);
    expect([200, 404, 405]).toContain(known.response.status);
    expect(await known.response.text()).toBe("");
    await Promise.all([open.ended(), known.ended()]);
  });
});

describe.each(WITH_ID)("$route", (route) => {
  it("answers alike for what is absent, malformed and somebody else's, and leaves the latter alone", async () => {
    const [owner, stranger] = await Promise.all([signUp(), signUp()]);
    const place = await somewhere(owner);
    const before = await partitionsOf(owner.email, place);

    const absent = await visit(stranger, route, nowhere());
    const foreign = await visit(stranger, route, place);
    expect(absent.status).toBe(route.whenAbsent ?? 404);
    expect(comparable(foreign)).toEqual(comparable(absent));
    expect(await partitionsOf(owner.email, place)).toEqual(before);

    for (const id of MALFORMED) {
      const answer = await visit(stranger, route, { agentId: id, conversationId: id });
      expect({ id, ...comparable(answer) }).toEqual({ id, ...comparable(absent) });
    }
  });
});

const partitionsOf = (email: string, place: Place) =>
  Promise.all(
    [
      `User#${email}`,
      `USER#${email}`,
      `CONVERSATION#${place.conversationId}`,
      `Agent#${place.agentId}#User#${email}`,
    ].map((partition) => table.query(partition)),
  );
