import { expect, it, vi } from "vitest";
import { AgentBuilder } from "../../client/src/index.ts";
import { freePort } from "../../scripts/free-port.ts";
import { AUTHORIZATION, CLIENT, type Expectations, REFUSED, SERVER } from "./mcp-conformance/expectations.ts";
import { useConformanceService } from "./mcp-conformance/service.ts";
import { type Finding, runSuite, scenariosOf } from "./mcp-conformance/suite.ts";

const service = useConformanceService();
// Each scenario starts two processes. More at once than a small machine has cores would only keep each other from ending in time.
vi.setConfig({ maxConcurrency: 2 });

/** The last revision with sessions, and the one without. */
const REVISIONS = ["2025-11-25", "2026-07-28"] as const;
/** In milliseconds. It only ends a command that hangs. */
const COMMAND_MS = 300_000;

const namesIn = ({ passing, failing, leftOut }: Expectations): readonly string[] =>
  [...passing, ...Object.keys(failing), ...Object.values(leftOut).flat()].toSorted();

/** The faults that were found in the scenarios that apply, and those that are expected of the same scenarios; without those that have none. */
function comparison(found: ReadonlyMap<string, Finding>, { passing, failing }: Expectations) {
  const names = [...passing, ...Object.keys(failing)].filter((name) => found.has(name));
  const withFaults = (faultsOf: (name: string) => readonly string[]) =>
    Object.fromEntries(names.map((name) => [name, faultsOf(name)]).filter(([, faults]) => faults?.length));
  return {
    found: withFaults((name) => found.get(name)?.faults ?? []),
    expected: withFaults((name) => failing[name] ?? []),
  };
}

it.each([
  ["server", SERVER],
  ["client", CLIENT],
  ["authorization", AUTHORIZATION],
] as const)("knows every scenario of the suite: %s", async (kind, expectations) => {
  expect(namesIn(expectations)).toEqual([...(await scenariosOf(kind)).keys()].toSorted());
});

it.each(REVISIONS)("an agent's MCP server conforms to the revision %s", async (revision) => {
  const scenarios = await scenariosOf("server");
  const applicable = [...scenarios].filter(([, revisions]) => revisions.includes(revision));

  const found = await runSuite([
    "server",
    "--url",
    service.agentUrl(),
    "--suite",
    "all",
    "--spec-version",
    revision,
  ]);

  expect([...found.keys()].toSorted()).toEqual(applicable.map(([name]) => name).toSorted());
  const { found: faults, expected } = comparison(found, SERVER);
  expect(faults).toEqual(expected);
});

/**
 * The scenarios about clients that apply, with the revisions above, or the last one of a scenario that is about older ones. Authorization does not
 * depend on the form of the protocol, so the last revision is enough for it.
 */
const CLIENT_RUNS = [...(await scenariosOf("client"))].flatMap(([scenario, revisions]) => {
  const ours = REVISIONS.filter((revision) => revisions.includes(revision));
  const known: readonly string[] = ours.length > 0 ? ours : revisions.slice(-1);
  const chosen = scenario.startsWith("auth/") ? known.slice(-1) : known;
  const applies = CLIENT.passing.includes(scenario) || scenario in CLIENT.failing;
  return applies ? chosen.map((revision) => [scenario, revision] as const) : [];
});

it.concurrent.each(CLIENT_RUNS)(
  "the client of MCP servers conforms: %s in the revision %s",
  async (scenario, revision) => {
    const { args, env } = service.asClient();
    const named = ["--scenario", scenario, "--spec-version", revision, "--timeout", String(COMMAND_MS)];

    const found = await runSuite(["client", ...args, ...named], env);

    expect(found.get(scenario)).toEqual({
      faults: CLIENT.failing[scenario] ?? [],
      said: expect.stringMatching(REFUSED.includes(scenario) ? /^refused: /u : /^answered: /u),
    });
  },
);

it("the authorization server conforms, up to a code that a person has agreed to", async () => {
  const port = await freePort();
  const redirectUri = `http://127.0.0.1:${port}/callback`;
  const registered = await new AgentBuilder({ baseUrl: service.url() }).request("POST", "/oauth/register", {
    body: { client_name: "The suite", redirect_uris: [redirectUri] },
  });

  const found = await runSuite(
    [
      "authorization",
      "--url",
      service.url(),
      "--client-id",
      registered.client_id,
      "--resource",
      `${service.url()}/mcp/agents/${service.agentId()}`,
      "--port",
      String(port),
    ],
    {},
    // The suite prints the address that a person is to open.
    async (line) => {
      const [address] = /^http\S+\/oauth\/authorize\?\S+$/u.exec(line) ?? [];
      if (address === undefined) return;
      const { redirect_to } = await service.client().request("POST", "/oauth/consent", {
        body: { request: new URL(address).search.slice(1), scopes: ["memory:read"] },
      });
      await fetch(redirect_to);
    },
  );

  expect([...found.keys()].toSorted()).toEqual(AUTHORIZATION.passing.toSorted());
  const { found: faults, expected } = comparison(found, AUTHORIZATION);
  expect(faults).toEqual(expected);
});
