import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { buildClient } from "../../scripts/client-build.ts";

const run = promisify(execFile);
const PROJECT = join(import.meta.dirname, "../..");

/** The client is part of every page that uses it. In bytes, compressed. */
const LARGEST_BUNDLE = 8_000;

/** A project that has installed the client and nothing else. */
let consumer = "";
beforeAll(async () => {
  consumer = await mkdtemp(join(tmpdir(), "client-package-"));
  const installed = join(consumer, "node_modules/@dynamic-agent-builder/client");
  await mkdir(installed, { recursive: true });
  await buildClient(join(installed, "dist"));
  await symlink(join(PROJECT, "client/package.json"), join(installed, "package.json"));
  await writeFile(join(consumer, "package.json"), JSON.stringify({ type: "module" }));
});
afterAll(() => rm(consumer, { recursive: true }));

it("has no dependencies", async () => {
  const manifest: unknown = JSON.parse(await readFile(join(PROJECT, "client/package.json"), "utf8"));
  expect(Object.keys(manifest as object).filter((name) => /dependencies/iu.test(name))).toEqual([]);
});

it.each(["@dynamic-agent-builder/client", "@dynamic-agent-builder/client/browser"])(
  "is imported as %s and sends requests",
  async (name) => {
    const server = createServer((_, response) => response.end('{"status":"ok"}'));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());

    const script = `
      import { AgentBuilder, ApiError } from "${name}";
      const client = new AgentBuilder({ baseUrl: "http://127.0.0.1:${(server.address() as AddressInfo).port}" });
      console.log((await client.request("GET", "/health")).status, ApiError.name);
    `;
    const { stdout } = await run(process.execPath, ["--input-type=module", "-e", script], { cwd: consumer });
    expect(stdout).toMatch(/^ok \w+\n$/u);
  },
);

it.each([
  [
    "a page",
    {
      lib: ["es2023", "dom", "dom.iterable", "dom.asynciterable"],
      moduleResolution: "bundler",
      module: "esnext",
    },
  ],
  [
    "a Node program",
    { lib: ["es2023", "dom", "dom.iterable"], moduleResolution: "nodenext", module: "nodenext" },
  ],
])("has types that fit into %s", async (_, options) => {
  await writeFile(
    join(consumer, "use.ts"),
    `import { AgentBuilder, type RunEvent } from "@dynamic-agent-builder/client";
const client = new AgentBuilder({ baseUrl: "https://api.example.com", apiKey: "dab_key" });
export const say = async (agentId: string, conversationId: string): Promise<string> =>
  await client.agents(agentId).send(conversationId, "Hello").text();
export const isText = (event: RunEvent): string =>
  event.event_type === "AGENT_RESPONSE_TO_USER" ? event.content : event.event_type;
`,
  );
  const compilerOptions = {
    ...options,
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    types: [],
    target: "es2022",
  };
  await writeFile(join(consumer, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["use.ts"] }));
  const tsc = join(PROJECT, "node_modules/typescript/bin/tsc");
  await expect(run(process.execPath, [tsc, "-p", consumer])).resolves.toMatchObject({ stdout: "" });
});

it("stays small", async () => {
  const bundle = await readFile(
    join(consumer, "node_modules/@dynamic-agent-builder/client/dist/agent-builder.js"),
  );
  expect(gzipSync(bundle).byteLength).toBeLessThan(LARGEST_BUNDLE);
});
