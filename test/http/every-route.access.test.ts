import { beforeAll, describe, expect, it } from "vitest";
import { type Answer, anonymous, type Client, signUp, table } from "../support/app.ts";
import {
  comparable,
  GUARDED_WITH_PROBLEMS,
  absentPlace,
  pathOf,
  type Place,
  problem,
  createPlace,
  sendTo,
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

// No route below changes anything of these people, so they are the same for all routes.
let owner: Client;
let place: Place;
let stranger: Client;
let deactivated: Client;
let deactivatedPlace: Place;
let gone: Client;

beforeAll(async () => {
  [owner, stranger, deactivated, gone] = await Promise.all([signUp(), signUp(), signUp(), signUp()]);
  [place, deactivatedPlace] = await Promise.all([createPlace(owner), createPlace(deactivated)]);
  await table.update(
    { pk: `User#${deactivated.email}`, sk: "User#Metadata" },
    { set: { status: "inactive" } },
  );
  await table.remove({ pk: `User#${gone.email}`, sk: "User#Metadata" });
});

describe.each(GUARDED_WITH_PROBLEMS)("$route", (route) => {
  it("requires a token", async () => {
    const { status, headers, body } = await sendTo(anonymous, route);

    expect(status).toBe(401);
    expect(headers.get("content-type")).toBe("application/problem+json");
    expect(headers.get("www-authenticate")).toBe("Bearer");
    expect(body).toEqual(
      problem(401, "unauthenticated", "Missing or invalid authorization header", { instance: body.instance }),
    );
  });

  it("refuses a deactivated account, and writes nothing for it", async () => {
    const before = await partitionsOf(deactivated.email, deactivatedPlace);

    const { status, body } = await sendTo(deactivated, route, deactivatedPlace);

    expect(status).toBe(403);
    expect(body).toEqual(problem(403, "forbidden", "Account has been deactivated"));
    expect(await partitionsOf(deactivated.email, deactivatedPlace)).toEqual(before);
  });

  it("refuses a deleted account, however long its token is valid", async () => {
    const { status, body } = await sendTo(gone, route);

    expect(status).toBe(401);
    expect(body).toEqual(problem(401, "unauthenticated", "User not found"));
  });

  it("answers or refuses a HEAD request without a body, and only with a token", async () => {
    const path = pathOf(route);

    const open = await anonymous.raw("HEAD", path);
    const known = await stranger.raw("HEAD", path);

    // A path without GET has no HEAD, for anybody.
    expect(open.response.status).toBe(known.response.status === 405 ? 405 : 401);
    expect([200, 404, 405, route.whenAbsent]).toContain(known.response.status);
    expect(await known.response.text()).toBe("");
    await Promise.all([open.ended(), known.ended()]);
  });
});

describe.each(WITH_ID)("$route", (route) => {
  it("answers absent, malformed and foreign ids alike, and changes nothing of others", async () => {
    const before = await partitionsOf(owner.email, place);

    const absent = await sendTo(stranger, route, absentPlace());
    const foreign = await sendTo(stranger, route, place);
    expect(absent.status).toBe(route.whenAbsent ?? 404);
    expect(withoutId(foreign)).toBe(withoutId(absent));
    expect(await partitionsOf(owner.email, place)).toEqual(before);

    for (const id of MALFORMED) {
      const answer = await sendTo(stranger, route, { agentId: id, conversationId: id, kbId: id });
      expect(withoutId(answer)).toBe(withoutId(absent));
    }
  });
});

/** The comparable part of an answer, with a placeholder for an id that a sentence repeats from the path, shortened if it is long. */
const withoutId = (answer: Answer): string =>
  JSON.stringify(comparable(answer)).replace(/Knowledge base \S+ not found/u, "Knowledge base ID not found");

const partitionsOf = (email: string, place: Place) =>
  Promise.all(
    [
      `User#${email}`,
      `USER#${email}`,
      `CONVERSATION#${place.conversationId}`,
      `Agent#${place.agentId}#User#${email}`,
      `KnowledgeBase#${place.kbId}`,
    ].map((partition) => table.query(partition)),
  );
