import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { freePort } from "../../scripts/free-port.ts";
import { cleanUps, startServer, workplace } from "./dev-process.ts";

const EXAMPLES = join(import.meta.dirname, "../../examples");

/** Starts a service and returns its address. */
async function startApi(): Promise<string> {
  const variables = await workplace();
  await startServer(variables);
  return `http://localhost:${variables.PORT}`;
}

/** Runs a program to its end, with the variables that the examples read. */
const run = (api: string, command: string, ...args: readonly string[]) =>
  start(api, command, ...args).ended();

/** Starts the same. `output` returns what it has printed so far. */
function start(api: string, command: string, ...args: readonly string[]) {
  const child = begin(command, args, { API_URL: api });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const closed = once(child, "close") as Promise<[number | null]>;
  return {
    output: () => output,
    ended: async () => {
      const [code] = await closed;
      return { code, output };
    },
  };
}

function begin(command: string, args: readonly string[], variables: Record<string, string>) {
  const { PATH = "", HOME = "" } = process.env;
  const env = { PATH, HOME, ...variables } as Record<string, string> as NodeJS.ProcessEnv;
  return spawn(command, args, { env, cwd: EXAMPLES });
}

it("holds the conversations of the examples for curl and Node.js, twice each", async () => {
  const api = await startApi();
  for (const greeting of ["Nice to meet you, Alice!", "I knew that already: your name is Alice"]) {
    const curl = await run(api, "sh", "curl/chat.sh");
    expect(curl.output).toContain(`agent  ${greeting}`);
    expect(curl.output).toContain("agent  You live in Lisbon.");
    expect(curl.code).toBe(0);

    const node = await run(api, process.execPath, "node/chat.mjs");
    expect(node.output).toContain('[core_memory_append {"block":"human","content":"Name: Alice"}]');
    expect(node.output).toContain(greeting);
    expect(node.output).toContain("You live in Lisbon.\n");
    expect(node.output).toContain("memory [ 'Name: Alice', 'Lives in: Lisbon' ]");
    expect(node.code).toBe(0);
  }
});

it("resumes the answer in the example for Node.js if the connection is lost, with no word missing or twice", async () => {
  const proxy = await startCuttingProxy(await startApi(), () => example.output());
  const example = start(proxy.url, process.execPath, "node/chat.mjs");

  const { code, output } = await example.ended();

  expect({ code, output }).toEqual({ code: 0, output });
  expect(proxy.cuts()).toBe(2);
  expect(output).toContain("] Nice to meet you, Alice! I'll remember that you live in Lisbon.\n");
  expect(output).toContain("agent  You live in Lisbon.\n");
});

/** A proxy that cuts the connection of each message once the example has printed the first words of the answer. */
async function startCuttingProxy(target: string, printed: () => string) {
  let cuts = 0;
  async function forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { authorization = "", accept = "*/*", "content-type": type = "" } = request.headers;
    const key = String(request.headers["idempotency-key"] ?? "");
    const answer = await fetch(`${target}${request.url}`, {
      method: request.method ?? "GET",
      headers: {
        authorization,
        accept,
        ...(type && { "content-type": type }),
        ...(key && { "idempotency-key": key }),
      },
      ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
    });
    response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" });
    let passed = "";
    for await (const piece of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      response.write(piece);
      passed += piece;
      const words = request.url?.endsWith("/send-message") ? firstWordsIn(passed) : undefined;
      if (words !== undefined) {
        cuts += 1;
        // What the example has not read when the connection ends may be lost with it.
        const answerOf = (output: string) => output.slice(output.lastIndexOf("\nagent  "));
        await vi.waitUntil(() => answerOf(printed()).includes(words), { timeout: 300_000 });
        response.destroy();
        return;
      }
    }
    response.end();
  }
  const server = createServer((request, response) => void forward(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanUps.push(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, cuts: () => cuts };
}

/** Returns the first words of the answer in a stream of events; `undefined` if they have not come yet. */
function firstWordsIn(stream: string): string | undefined {
  const whole = stream.slice(0, stream.lastIndexOf("\n\n") + 1).split("\n\n");
  const events = whole
    .filter((block) => block.startsWith("data: "))
    .map((block) => JSON.parse(block.slice("data: ".length)) as { event_type: string; content: string });
  return events.find(({ event_type }) => event_type === "AGENT_RESPONSE_TO_USER")?.content;
}

it("serves the page of the browser's example, and issues tokens that its origin may use", async () => {
  const api = await startApi();
  const PORT = String(await freePort());
  const child = begin(process.execPath, ["browser/server.mjs"], { API_URL: api, PORT });
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
  const again = await fetch(`${page}/token`, {
    method: "POST",
    headers: { cookie: cookie.split(";")[0] ?? "" },
  });
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
