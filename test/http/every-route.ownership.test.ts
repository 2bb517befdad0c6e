import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { docOf } from "../../src/http/openapi.ts";
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
import { ALL_SCOPES, converse, endUserOf, programOf } from "../support/callers.ts";
import { comparable, GUARDED, nowhere, type Place, type RouteCase, visit } from "./route-cases.ts";

/** Every route × who calls × whose it is that they ask for. What is somebody else's must look like what is not there. */

let owner: Client;
let stranger: Client;
let foreign: Place;
/** The owner's; nothing in it changes. */
let home: Place;
let otherAgent: string;
let endUser: Client;
/** An end user of the owner's other agent. */
let otherEndUser: Client;
/** A program of the owner's whose key is for the other agent only. */
let confined: Client;

async function settle(): Promise<void> {
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

/** An agent with a conversation, an end user and memories. */
async function placeOf(client: Client): Promise<Place> {
  const place = await beginConversation(client);
  await endUserOf(client, place.agentId, "visitor-1");
  await client("GET", `/agents/${place.agentId}/memory-blocks`);
  return place;
}

/** A place that the route may do to what it does. */
const expendable = (route: RouteCase): Promise<Place> | Place =>
  route.route.startsWith("GET") ? home : placeOf(owner);

const accessOf = ({ route }: RouteCase) => {
  const docs = app.routes
    .filter(({ method, path }) => `${method} ${path}` === route)
    .map(({ handler }) => docOf(handler));
  const operation = docs.find((doc) => doc?.kind === "operation");
  if (operation?.kind !== "operation" || operation.access === "public") throw new Error(`${route} is open.`);
  return operation.access;
};

/** Ids deeper in the path are made up, and default blocks can't be deleted. */
const SERVED = [200, 201, 204, 404, 409];

/** An answer without what tells requests and places apart. */
const bare = (answer: Answer, { agentId, conversationId }: Place) =>
  JSON.stringify(comparable(answer))
    .replaceAll(agentId, "ID")
    .replaceAll("/agents/-", "/agents/ID")
    .replaceAll(conversationId, "ID");

/** Whether a route is about one agent or conversation, named in its path or its body. */
const isAbout = ({ route, body }: RouteCase): boolean =>
  /:(agent|conversation)Id/u.test(route) || (body !== undefined && "agent_id" in body);

/** What the caller is told of each of the places; all of them must sound like the last one, where nothing is. */
async function expectAlike(
  client: Client,
  route: RouteCase,
  places: readonly Place[],
  lost = nowhere(),
): Promise<Answer> {
  const absent = await visit(client, route, lost);
  expect(absent.status).toBeLessThan(500);

  for (const place of places) expect(bare(await visit(client, route, place), place)).toBe(bare(absent, lost));
  return absent;
}

const partitionsOf = (email: string, { agentId, conversationId }: Place) =>
  Promise.all(
    [
      `USER#${email}`,
      `CONVERSATION#${conversationId}`,
      `Agent#${agentId}`,
      `Agent#${agentId}#User#${email}`,
      `Agent#${agentId}#User#visitor-1`,
    ].map((partition) => table.query(partition)),
  );

describe.each(GUARDED)("$route", (route) => {
  // What ends the account ends everybody here: then each test has people of its own.
  (route.route === "DELETE /users/me" ? beforeEach : beforeAll)(settle);

  const access = accessOf(route);
  const scopes = ALL_SCOPES.filter((scope) => access.some((who) => who === scope));

  it("serves its owner, and tells nothing of what is another's", async () => {
    const before = await partitionsOf(stranger.email, foreign);

    if (isAbout(route)) await expectAlike(owner, route, [foreign]);
    const own = await visit(owner, route, await expendable(route));

    expect(SERVED).toContain(own.status);
    expect(await partitionsOf(stranger.email, foreign)).toEqual(before);
  });

  it.each<[string, () => Promise<Client>]>([
    ["nobody", () => Promise.resolve(anonymous)],
    [
      "who comes too late",
      async () =>
        clientOf(await forge(owner.email, { payload: { exp: Math.floor(Date.now() / 1000) - 60 } })),
    ],
    ["whose key is made up", () => Promise.resolve(clientOf(`dab_${"A".repeat(43)}`))],
  ])("tells %s the same of everything: 401", async (_who, client) => {
    const { status } = await expectAlike(await client(), route, [home, foreign]);

    expect(status).toBe(401);
  });

  it("answers a program as its owner, if its key has the scope, and says which it lacks if not", async () => {
    const others = ALL_SCOPES.filter((scope) => !scopes.includes(scope));
    const [program, incapable] = await Promise.all([
      programOf(owner, scopes.length > 0 ? scopes : ALL_SCOPES),
      programOf(owner, others),
    ]);

    const refused = await expectAlike(incapable, route, [home, foreign]);
    expect(refused.status).toBe(403);
    expect(refused.body.detail).toBe(
      scopes.length > 0 ? `This API key lacks the scope ${scopes[0]}` : "This is not for API keys",
    );
    if (isAbout(route)) await expectAlike(program, route, [foreign]);

    const served = await visit(program, route, await expendable(route));
    if (scopes.length === 0) expect(served.status).toBe(403);
    else expect(SERVED).toContain(served.status);
  });

  it("hides from a program whose key is for another agent what is not of that agent", async () => {
    if (scopes.length === 0) return;
    const before = await partitionsOf(owner.email, home);

    const { status } = await expectAlike(confined, route, isAbout(route) ? [home, foreign] : []);

    if (isAbout(route)) expect(status).toBe(route.whenAbsent ?? 404);
    expect(await partitionsOf(owner.email, home)).toEqual(before);
  });

  it("serves an end user in their own conversations, if it is for end users, and in no others", async () => {
    const own = await converse(endUser, home.agentId);
    const before = await table.query(`CONVERSATION#${own.conversationId}`);

    // The owner's, another end user's, another account's.
    for (const client of [endUser, otherEndUser]) {
      const { status } = await expectAlike(client, route, isAbout(route) ? [foreign] : []);
      if (!access.includes("end-user")) expect(status).toBe(403);
      else if (isAbout(route)) expect(status).toBe(404);
    }
    if (isAbout(route)) await expectAlike(otherEndUser, route, [own, home]);
    // They know their agent: what they may not reach there are the conversations of others.
    const lost = { ...nowhere(), agentId: home.agentId };
    if (/conversationId/u.test(route.route)) await expectAlike(endUser, route, [home], lost);
    expect(await table.query(`CONVERSATION#${own.conversationId}`)).toEqual(before);

    const served = await visit(endUser, route, own);
    if (access.includes("end-user")) expect(SERVED).toContain(served.status);
    else expect(served.status).toBe(403);
  });
});
