import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { configFrom } from "../../src/config.ts";
import { ConnectionTokens } from "../../src/oauth/tokens.ts";
import { beginConversation, type Client, signUp, table } from "../support/app.ts";
import { endFaults, injectFault, untilMet } from "../support/control.ts";
import { ALL, connect, refresh, register, requestOf, useOf } from "./people.ts";

async function withAgent() {
  const person = await signUp();
  const { agentId } = await beginConversation(person);
  return { person, agentId };
}

/** Holds the next write of this kind about an account. */
const holdWrite = ({ email }: Client, operation: "UpdateItem" | "TransactWriteItems") =>
  injectFault({ match: [email], operation, fault: { kind: "hold" } });

/** Changes the item of the connection that an access token belongs to. */
async function change(person: Client, access: string, set: Record<string, number>): Promise<void> {
  const tokens = new ConnectionTokens({ keys: configFrom(env).signingKeys, now: Date.now });
  const token = await tokens.read("access", access);
  await table.update({ pk: `User#${person.email}`, sk: `McpConnection#${token?.connectionId}` }, { set });
}

const hourAgo = () => ({ rotated_at: Date.now() - 3_600_000 });

describe("a consent", () => {
  it.each([
    ["agent", "deleting_at", (agentId: string) => `Agent#${agentId}`],
    ["account", "status", () => "User#Metadata"],
  ])("is refused if the deletion of the %s begins before it is stored", async (_case, name, sortKeyOf) => {
    const { person, agentId } = await withAgent();
    const request = requestOf(await register(), agentId);
    await holdWrite(person, "TransactWriteItems");
    const answer = person("POST", "/oauth/consent", { request, scopes: ALL });
    await untilMet();

    await table.update(
      { pk: `User#${person.email}`, sk: sortKeyOf(agentId) },
      { set: { [name]: "pending_deletion" } },
    );
    await endFaults();

    expect((await answer).status).toBe(409);
    const range = { beginsWith: "McpConnection#" };
    expect(await table.query(`User#${person.email}`, { range })).toEqual([]);
  });
});

describe("a refresh token", () => {
  it("ends the connection if its refresh reaches the database after its successor has been replaced", async () => {
    const { person, agentId } = await withAgent();
    const held = await connect(person, agentId);
    await holdWrite(person, "UpdateItem");
    const late = refresh(held, held.refresh);
    await untilMet();

    const second = await refresh(held, held.refresh);
    const third = await refresh(held, second.body.refresh_token);
    await endFaults();
    await late;

    // The late one presented a token that had been replaced twice: it is a stolen one.
    expect(third.status).toBe(200);
    expect((await late).body.error).toBe("invalid_grant");
    expect((await useOf(third.body.access_token, agentId)).status).toBe(401);
  });

  it("can be used again while its successor is unused, although the access token before was used", async () => {
    const { person, agentId } = await withAgent();
    const held = await connect(person, agentId);
    await refresh(held, held.refresh);
    expect((await useOf(held.access, agentId)).status).toBe(200);
    await change(person, held.access, hourAgo());

    expect((await refresh(held, held.refresh)).status).toBe(200);
  });

  it("ends the connection if its successor was used, although a use of the access token before is recorded later", async () => {
    const { person, agentId } = await withAgent();
    const held = await connect(person, agentId);
    await holdWrite(person, "UpdateItem");
    const use = useOf(held.access, agentId);
    await untilMet();

    const second = await refresh(held, held.refresh);
    expect((await useOf(second.body.access_token, agentId)).status).toBe(200);
    await endFaults();
    await use;
    await change(person, held.access, hourAgo());

    expect((await refresh(held, held.refresh)).body.error).toBe("invalid_grant");
  });
});
