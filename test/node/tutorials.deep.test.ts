import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { demoResponder } from "../../scripts/demo-model.ts";
import { startModelServer } from "../../scripts/model-server.ts";
import { cleanUps, startServer, workplace } from "./dev-process.ts";
import { commandBlocks, missingLines, runSession } from "./shell-session.ts";

const PROJECT = join(import.meta.dirname, "../..");

/** The address that documents print. */
const DOCUMENTED = "http://localhost:8787";

it("runs every command of the tutorials, and each prints what the tutorial says", async () => {
  const variables = await workplace();
  await startServer(variables);
  const tutorials = globSync("docs/tutorials/*.md", { cwd: PROJECT }).toSorted();
  expect(tutorials).toHaveLength(3);

  for (const tutorial of tutorials) {
    const text = await readFile(join(PROJECT, tutorial), "utf8");
    expect(text).toContain(`api=${DOCUMENTED}\n`);
    const blocks = commandBlocks(text.replaceAll(DOCUMENTED, `http://localhost:${variables.PORT}`));
    const { code, outputs } = await runSession(blocks.map(({ commands }) => commands));

    for (const [index, { commands, expected }] of blocks.entries()) {
      const output = outputs[index] ?? "";
      const missing = missingLines(output, expected);
      expect({ tutorial, commands, output, missing }).toEqual({ tutorial, commands, output, missing: [] });
    }
    expect({ tutorial, code, outputs }).toEqual({ tutorial, code: 0, outputs });
  }
});

it("runs the commands of the guides for Ollama and OpenRouter against a server with their API", async () => {
  const variables = await workplace();
  await startServer(variables);
  const api = `http://localhost:${variables.PORT}`;
  const models = ["qwen3:8b", "anthropic/claude-sonnet-4.5", "openai/gpt-4o-mini"];
  const server = await startModelServer({ respond: demoResponder, models });
  cleanUps.push(() => server.stop());

  for (const guide of ["ollama", "openrouter"]) {
    const commands = await curlCommands(guide);
    expect(commands.length).toBeGreaterThan(2);
    const session = [
      signUp(api, guide),
      ...commands.map((command) =>
        command.replace(/http:\/\/localhost:11434\/v1|https:\/\/openrouter\.ai\/api\/v1/u, server.url),
      ),
    ];
    const { code, outputs } = await runSession(session);

    expect({ guide, code, outputs }).toEqual({ guide, code: 0, outputs });
    expect(outputs.join("\n")).toContain(`"ok":true`);
    expect(outputs.at(-1)).toContain(`"agent_provider":"OpenAICompatible"`);
  }
});

it("runs the commands of the guides for end users and for MCP clients, and stores credentials as the guide for Bedrock says", async () => {
  const variables = await workplace();
  await startServer(variables);
  const api = `http://localhost:${variables.PORT}`;
  const agent = `AGENT=$(curl -sS $api/agents -H "authorization: Bearer $TOKEN" --json '{"agent_name":"Guide",
    "agent_architecture":"krishna-memgpt","agent_provider":"Demo","agent_model":"demo","agent_persona":"Kind",
    "allowed_origins":["https://shop.example.com"]}' | pick agent_id)`;
  const [createKey = "", createToken = ""] = await curlCommands("end-users");
  // Everything behind the first command of this guide asks Amazon.
  const [storeBedrock = ""] = await curlCommands("bedrock");
  const [createMcpKey = "", listTools = ""] = await curlCommands("mcp");
  const session = [
    `${signUp(api, "guide")}\n${agent}`,
    `KEY=$(${createKey.trim()} | pick secret)`,
    createToken,
    storeBedrock,
    `KEY=$(${createMcpKey.trim()} | pick secret)`,
    listTools,
  ];
  const { code, outputs } = await runSession(session);

  expect({ code, outputs }).toEqual({ code: 0, outputs });
  expect(outputs[2]).toContain(`"end_user_id":"customer-17"`);
  expect(outputs[3]).toContain(`"is_configured":true`);
  expect(outputs[5]).toContain("memory_search");
});

/** The commands of a guide that call the service, in order, with keys filled in. They fail if the service refuses them. */
async function curlCommands(guide: string): Promise<readonly string[]> {
  const text = await readFile(join(PROJECT, `docs/how-to/${guide}.md`), "utf8");
  const blocks = [...text.matchAll(/^ *```console\n([\s\S]*?)^ *```$/gmu)].map(([, body = ""]) => body);
  return blocks
    .flatMap((body) => body.split(/^(?= *curl )/mu))
    .filter((command) => command.trimStart().startsWith("curl "))
    .map((command) =>
      command.trimStart().replace("curl ", "curl -sS --fail-with-body ").replaceAll("…", "EXAMPLE0000000000"),
    );
}

/** What readers of the guides have already done: see the first conversation in `docs/api.md`. */
const signUp = (api: string, username: string) => `api=${api}
pick() { sed "s/.*\\"$1\\":\\"\\([^\\"]*\\)\\".*/\\1/"; }
TOKEN=$(curl -sS $api/auth/local/signup --json '{"username":"${username}","password":"secret"}' | pick token)`;

it("finds a printed line that is missing, out of order, or different", () => {
  expect(missingLines("a: 1\nb: 2\n", ["a: 1", "b: …"])).toEqual([]);
  expect(missingLines("a: 1\nb: 2\n", ["b: 2", "a: 1"])).toEqual(["a: 1"]);
  expect(missingLines("a: 1\n", ["a: 2"])).toEqual(["a: 2"]);
});

it("stops a session at the first command that fails, and keeps variables between blocks", async () => {
  const { code, outputs } = await runSession(["x=1", "echo $x", "false", "echo never"]);

  expect(code).toBe(1);
  expect(outputs).toEqual(["", "1\n", "", ""]);
});
