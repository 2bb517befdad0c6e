import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { beforeEach, expect, it } from "vitest";
import { freePort } from "../../scripts/free-port.ts";
import { cleanUps, startServer, workplace } from "./dev-process.ts";

const EXAMPLES = join(import.meta.dirname, "../../examples");

let api = "";
beforeEach(async () => {
  const variables = await workplace();
  await startServer(variables);
  api = `http://localhost:${variables.PORT}`;
});

/** Runs a program to its end, with the variables that the examples read. */
async function run(command: string, ...args: readonly string[]) {
  const child = begin(command, args);
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, output };
}

function begin(command: string, args: readonly string[], variables: Record<string, string> = {}) {
  const { PATH = "", HOME = "" } = process.env;
  const env = { PATH, HOME, API_URL: api, ...variables } as Record<string, string> as NodeJS.ProcessEnv;
  return spawn(command, args, { env, cwd: EXAMPLES });
}

it("holds the conversations of the examples for curl and Node.js, twice each", async () => {
  for (const _ of ["signs up", "logs in"]) {
    const curl = await run("sh", "curl/chat.sh");
    expect(curl.output).toContain("agent  Nice to meet you, Alice!");
    expect(curl.output).toContain("agent  You live in Lisbon.");
    expect(curl.code).toBe(0);

    const node = await run(process.execPath, "node/chat.mjs");
    expect(node.output).toContain('[core_memory_append {"block":"human","content":"Name: Alice"}]');
    expect(node.output).toContain("You live in Lisbon.\n");
    expect(node.output).toContain("memory [ 'Name: Alice', 'Lives in: Lisbon' ]");
    expect(node.code).toBe(0);
  }
});

it("serves the page of the browser's example and gives it tokens that its origin may use", async () => {
  const PORT = String(await freePort());
  const child = begin(process.execPath, ["browser/server.mjs"], { PORT });
  cleanUps.push(async () => {
    child.kill();
    await once(child, "exit");
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  await expect.poll(() => output).toContain("ready:");

  const page = `http://localhost:${PORT}`;
  expect(await (await fetch(page)).text()).toContain('<script type="module" src="/chat.js">');
  expect((await fetch(`${page}/chat.js`)).headers.get("content-type")).toContain("text/javascript");
  expect((await fetch(`${page}/server.mjs`)).status).toBe(404);

  const signedIn = await fetch(`${page}/token`, { method: "POST" });
  const cookie = signedIn.headers.get("set-cookie") ?? "";
  const { token, agentId } = (await signedIn.json()) as { token: string; agentId: string };
  const open = (origin: string) =>
    fetch(`${api}/conversations`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, origin, "content-type": "application/json" },
      body: JSON.stringify({ title: "Chat", agent_id: agentId }),
    });
  const opened = await open(page);
  expect([opened.status, opened.headers.get("access-control-allow-origin")]).toEqual([201, page]);
  expect((await open("https://elsewhere.example.com")).status).toBe(403);

  // The cookie makes the next visit the same end user's.
  const again = await fetch(`${page}/token`, { method: "POST", headers: { cookie: cookie.split(";")[0] ?? "" } });
  expect(again.headers.get("set-cookie")).toBe(cookie);
});

it("checks the syntax of the browser's script, and of the example for Python where there is one", () => {
  execFileSync(process.execPath, ["--input-type=module", "--check"], {
    input: execFileSync("cat", [join(EXAMPLES, "browser/chat.js")]),
  });
  expect(pythonSyntaxOf(join(EXAMPLES, "python/chat.py"))).toBe("");
});

/** Returns what Python says is wrong with a file: nothing if it is right, or if there is no Python here. */
function pythonSyntaxOf(file: string): string {
  const program = "import ast, sys; ast.parse(open(sys.argv[1], encoding='utf-8').read())";
  try {
    execFileSync("python3", ["-c", program, file], { stdio: "pipe" });
    return "";
  } catch (error) {
    const { code, stderr } = error as { code?: string; stderr?: Buffer };
    return code === "ENOENT" ? "" : String(stderr);
  }
}
