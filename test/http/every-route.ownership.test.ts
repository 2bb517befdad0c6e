import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { accessOf } from "../../src/access/require-access.ts";
import { forge } from "../auth/forge.ts";
import {
  ada,
  anonymous,
  type Answer,
  app,
  beginConversation,
  type Client,
  clientOf,
  signUp,
  table,
} from "../support/app.ts";
import { ALL_SCOPES, beginOwnConversation, endUserOf, programOf } from "../support/callers.ts";
import { createBase } from "../support/knowledge.ts";
import { comparable, GUARDED, absentPlace, type Place, type RouteCase, sendTo } from "./route-cases.ts";

/** Every route × caller × owner of the ids. What belongs to others must look like what does not exist. */

let owner: Client;
let stranger: Client;
let foreign: Place;
/** The owner's data, which no test changes. */
let home: Place;
let otherAgent: string;
let endUser: Client;
/** An end user of the owner's other agent. */
let otherEndUser: Client;
/** A program of the owner's whose key is for the other agent only. */
let confined: Client;
/** The owner's programs, by the scopes of their keys. */
let programs: Map<string, Promise<Client>>;

async function settle(): Promise<void> {
  programs = new Map();
  [owner, stranger] = await Promise.all([signUp(), signUp()]);
  [foreign, home] = await Promise.all([placeOf(stranger), placeOf(owner)]);
  const { body } = await owner("POST", "/agents", { ...ada, agent_name: "Another" });
  otherAgent = body.agent_id as string;
  [endUser, otherEndUser, confined] = await Promise.all([
    endUserOf(owner, home.agentId),
    endUserOf(owner, otherAgent),
    programOf(owner, ALL_SCOPES, { agent_ids: [otherAgent] }),
  ]);
}

/** The owner's program whose key has these scopes; routes that ask for the same scopes share it. */
function programWith(scopes: readonly string[]): Promise<Client> {
  const name = scopes.join(" ");
  const program = programs.get(name) ?? programOf(owner, scopes);
  programs.set(name, program);
  return program;
}

/** An agent with a conversation, an end user and memories, and a knowledge base that it is linked to: `known`, or a new one. */
async function placeOf(client: Client, known?: string): Promise<Place> {
  const [begun, { kbId }] = await Promise.all([
    beginConversation(client),
    known === undefined ? createBase(client) : { kbId: known },
  ]);
  const place = { ...begun, kbId };
  await client("POST", `/agents/${place.agentId}/knowledge-bases?kb_id=${kbId}`);
  await endUserOf(client, place.agentId, "visitor-1");
  await client("GET", `/agents/${place.agentId}/memory-blocks`);
  return place;
}

const callersOf = ({ route }: RouteCase) => {
  const access = app.routes
    .filter(({ method, path }) => `${method} ${path}` === route)
    .map(({ handler }) => accessOf(handler))
    .find((one) => one !== undefined);
  if (!access || access === "public") throw new Error(`${route} is open.`);
  return access;
};

/** Ids deeper in the path are made up, and default blocks can't be deleted. */
const SERVED = [200, 201, 204, 404, 409];

/** An answer without the members that differ from request to request and from id to id. */
const bare = (answer: Answer, { agentId, conversationId, kbId }: Place) =>
  JSON.stringify(comparable(answer))
    .replaceAll(agentId, "ID")
    .replaceAll("/agents/-", "/agents/ID")
    .replaceAll(conversationId, "ID")
    .replaceAll(kbId, "ID");

/** Whether a route is about one agent, conversation or knowledge base, named in its path or its body. */
const isAbout = ({ route, body }: RouteCase): boolean =>
  /:(?:(?:agent|conversation|kb)Id|agentOrName)\b/u.test(route) ||
  (body !== undefined && ("agent_id" in body || "model" in body));

/** Ids that the route may change. A route that only reads, or that has no ids, gets shared ones. */
const expendable = (route: RouteCase): Promise<Place> | Place =>
  route.route.startsWith("GET") || !isAbout(route)
    ? home
    : placeOf(owner, route.route.includes(":kbId") ? undefined : home.kbId);

/** The answers for each of the ids; all must be equal to the last one, for ids that do not exist. */
async function expectAlike(
  client: Client,
  route: RouteCase,
  places: readonly Place[],
  lost = absentPlace(),
): Promise<Answer> {
  const absent = await sendTo(client, route, lost);
  expect(absent.status).toBeLessThan(500);

  for (const place of places)
    expect(bare(await sendTo(client, route, place), place)).toBe(bare(absent, lost));
  return absent;
}

const partitionsOf = (email: string, { agentId, conversationId, kbId }: Place) =>
  Promise.all(
    [
      `USER#${email}`,
      `CONVERSATION#${conversationId}`,
      `Agent#${agentId}`,
      `Agent#${agentId}#User#${email}`,
      `Agent#${agentId}#User#visitor-1`,
      `KnowledgeBase#${kbId}`,
    ].map((partition) => table.query(partition)),
  );

// All routes share this data, except what a route may change, which is created for that route.
beforeAll(settle);

describe.each(GUARDED)("$route", (route) => {
  // A route that ends the account affects all callers, so each such test, and each after it, has callers of its own.
  if (route.route === "DELETE /users/me") {
    beforeEach(settle);
    afterAll(settle);
  }

  const access = callersOf(route);
  const scopes = ALL_SCOPES.filter((scope) => access.some((who) => who === scope));

  // Scenario 26.
  it("serves its owner, and reveals nothing of other accounts", async () => {
    const before = await partitionsOf(stranger.email, foreign);

    if (isAbout(route)) await expectAlike(owner, route, [foreign]);
    const own = await sendTo(owner, route, await expendable(route));

    expect(SERVED).toContain(own.status);
    expect(await partitionsOf(stranger.email, foreign)).toEqual(before);
  });

  it.each<[string, () => Promise<Client>]>([
    ["a caller without a token", () => Promise.resolve(anonymous)],
    [
      "a caller with an expired token",
      async () =>
        clientOf(await forge(owner.email, { payload: { exp: Math.floor(Date.now() / 1000) - 60 } })),
    ],
    ["a caller with an invented key", () => Promise.resolve(clientOf(`dab_${"A".repeat(43)}`))],
  ])("answers 401 to %s, whatever the id", async (_who, client) => {
    const { status } = await expectAlike(await client(), route, [home, foreign]);

    expect(status).toBe(401);
  });

  it("answers a program like its owner if its key has the scope, and names the missing scope otherwise", async () => {
    const others = ALL_SCOPES.filter((scope) => !scopes.includes(scope));
    const [program, incapable] = await Promise.all([
      programWith(scopes.length > 0 ? [...scopes, ...(route.alsoNeeds ?? [])] : ALL_SCOPES),
      programWith(others),
    ]);

    const refused = await expectAlike(incapable, route, [home, foreign]);
    expect(refused.status).toBe(403);
    expect(refused.body.detail ?? refused.body.error.message).toBe(
      scopes.length > 0 ? `This API key lacks the scope ${scopes[0]}` : "API keys may not do this",
    );
    if (isAbout(route)) await expectAlike(program, route, [foreign]);

    const served = await sendTo(program, route, await expendable(route));
    if (scopes.length === 0) expect(served.status).toBe(403);
    else expect(SERVED).toContain(served.status);
  });

  it("answers 404 to a program whose key is for another agent", async () => {
    if (scopes.length === 0) return;
    const before = await partitionsOf(owner.email, home);

    const { status } = await expectAlike(confined, route, isAbout(route) ? [home, foreign] : []);

    if (isAbout(route)) expect(status).toBe(route.whenAbsent ?? 404);
    expect(await partitionsOf(owner.email, home)).toEqual(before);
  });

  it("serves an end user in their own conversations only, and only if it is for end users", async () => {
    const own = { ...home, ...(await beginOwnConversation(endUser, home.agentId)) };
    const before = await table.query(`CONVERSATION#${own.conversationId}`);

    // The owner's, another end user's, another account's.
    for (const client of [endUser, otherEndUser]) {
      const { status } = await expectAlike(client, route, isAbout(route) ? [foreign] : []);
      if (!access.includes("end-user")) expect(status).toBe(403);
      else if (isAbout(route)) expect(status).toBe(route.whenAbsent ?? 404);
    }
    if (isAbout(route)) await expectAlike(otherEndUser, route, [own, home]);
    // End users know their agent, but may not access the conversations of others in it.
    const lost = { ...absentPlace(), agentId: home.agentId };
    if (/conversationId/u.test(route.route)) await expectAlike(endUser, route, [home], lost);
    expect(await table.query(`CONVERSATION#${own.conversationId}`)).toEqual(before);

    const served = await sendTo(endUser, route, own);
    if (access.includes("end-user")) expect(SERVED).toContain(served.status);
    else expect(served.status).toBe(403);
  });
});
