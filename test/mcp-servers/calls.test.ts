import { expect, it } from "vitest";
import { McpCalls } from "../../src/mcp-servers/calls.ts";
import { type McpServer, neverAsked } from "../../src/mcp-servers/model.ts";
import { accountEmailOf, agentIdOf } from "../../src/shared/id-types.ts";

const NOW = Date.parse("2026-01-01T12:00:00Z");
const MINUTE_MS = 60_000;

/** A server that was asked for its tools ten minutes ago: too recently to be asked again without a reason. */
const server: McpServer = {
  ...neverAsked,
  id: "server",
  name: "site",
  url: "https://mcp.example.org/",
  auth: "none",
  allowedTools: null,
  timeoutSeconds: 20,
  enabled: true,
  state: "ready",
  checkedAt: NOW - 10 * MINUTE_MS,
  listing: {
    protocol: "stateless",
    tools: [{ name: "echo", description: "", parameters: {} }],
    others: [],
    refused: [],
    listedAt: "2026-01-01T11:50:00Z",
  },
  sealedSecrets: null,
  createdAt: "2026-01-01T11:50:00Z",
  updatedAt: null,
};

/** The calls of a turn at a server that answers each of them in the same way. */
function turnWith(answer: () => Response) {
  const relisted: string[] = [];
  const following: Promise<void>[] = [];
  const calls = new McpCalls({
    place: { accountEmail: accountEmailOf("ann@example.org"), agentId: agentIdOf("agent") },
    servers: [server],
    httpTools: [],
    fetch: () => Promise.resolve(answer()),
    tokens: {
      token: () => Promise.resolve(undefined),
      authorized: (_place, _server, _connection, ask) => ask(),
    },
    lists: {
      refreshIfOlder: (_place, id) => {
        relisted.push(id);
        return Promise.resolve();
      },
    },
    clock: { now: () => NOW },
    follow: (work) => void following.push(work()),
  });
  const call = async () => {
    const [tool] = calls.tools;
    if (!tool) throw new Error("The server offers no tool.");
    return calls.call(tool, {}, new AbortController().signal);
  };
  const finish = async () => {
    calls.finish();
    await Promise.all(following);
    return relisted;
  };
  return { call, finish };
}

it.each([
  ["an unknown method", -32_601, ["server"]],
  ["arguments that are not valid", -32_602, ["server"]],
  ["headers that do not match the arguments", -32_020, ["server"]],
  ["anything else", -32_000, []],
])(
  "lists the tools again after a turn in which the server complained of %s",
  async (_case, code, expected) => {
    const error = { code, message: "Refused" };
    const turn = turnWith(() => Response.json({ jsonrpc: "2.0", id: 1, error }, { status: 400 }));

    expect(await turn.call()).toBe("Error: The server says: Refused");

    expect(await turn.finish()).toEqual(expected);
  },
);

it("calls a server again after it has refused calls for want of rights", async () => {
  const headers = { "www-authenticate": 'Bearer error="insufficient_scope", scope="tools:write"' };
  const turn = turnWith(() => new Response("", { status: 403, headers }));

  const answers = [await turn.call(), await turn.call(), await turn.call()];

  expect(new Set(answers)).toEqual(new Set([expect.stringContaining("wants more rights")]));
});
