import { expect, it } from "vitest";
import type { ProviderContext } from "../../src/llm/provider.ts";
import { openAiCompatible } from "../../src/llm/compatible-provider.ts";
import { type WindowServer, WINDOW_SERVERS, windowServer } from "./fixtures/served-windows.ts";
import { contextOf } from "./protocols/protocol.ts";

const signal = () => new AbortController().signal;
const opened = (
  { baseUrl, model }: Pick<WindowServer, "baseUrl" | "model">,
  context: Partial<ProviderContext>,
  more: object = {},
) =>
  openAiCompatible.open({ base_url: baseUrl, api_key: "sk-1", ...more }, model, {}, contextOf(context))
    .servedWindow;

const [VLLM, OPENROUTER] = WINDOW_SERVERS;
const OLLAMA = WINDOW_SERVERS.find(({ label }) => label.startsWith("Ollama"));
if (!VLLM || !OPENROUTER || !OLLAMA) throw new Error("A server is missing.");

it.each(WINDOW_SERVERS)("understands $label", async (server) => {
  expect(await opened(server, { fetch: windowServer(server) })?.ask(signal())).toBe(server.tokens);
});

it("asks presets for their list only, and others in the APIs that self-hosted servers have beside it", async () => {
  const [preset, own]: [string[], string[]] = [[], []];

  await opened(OPENROUTER, { fetch: windowServer(OPENROUTER, preset) })?.ask(signal());
  await opened(OLLAMA, { fetch: windowServer(OLLAMA, own) })?.ask(signal());

  expect(preset).toEqual(["GET /api/v1/models"]);
  expect(own.toSorted()).toEqual(["GET /api/ps", "GET /api/v0/models", "GET /props", "GET /v1/models"]);
});

it("does not ask if the user has entered a window", () => {
  expect(opened(VLLM, {}, { context_tokens: "9000" })).toBeUndefined();
});

it("asks no server whose address leads into a private network", async () => {
  const asked: string[] = [];
  const context = { fetch: windowServer(VLLM, asked), resolve: () => Promise.resolve(["10.0.0.7"]) };

  await expect(opened(VLLM, context)?.ask(signal())).rejects.toMatchObject({ code: "provider-unavailable" });

  expect(asked).toEqual([]);
});

it("reads no more than a list may have, and ends with its signal", async () => {
  const endless = () =>
    new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(1_000_000).fill(32)),
    });
  const ended = new AbortController();
  const reason = new Error("over");

  await expect(
    opened(VLLM, { fetch: () => Promise.resolve(new Response(endless())) })?.ask(signal()),
  ).rejects.toMatchObject({ code: "provider-unavailable" });
  const waiting = opened(VLLM, { fetch: () => new Promise(() => undefined) })?.ask(ended.signal);
  ended.abort(reason);

  await expect(waiting).rejects.toBe(reason);
});

it("asks Ollama about twenty models of a long list at most", async () => {
  const asked: string[] = [];
  const names = Array.from({ length: 60 }, (_, n) => `model-${n}`);
  const credentials = { base_url: OLLAMA.baseUrl, api_key: "sk-1" };
  const context = contextOf({ fetch: windowServer(OLLAMA, asked) });

  const windows = await openAiCompatible.servedWindows(credentials, names, context, signal());

  expect(windows.size).toBe(20);
  expect(asked.filter((path) => path === "POST /api/show")).toHaveLength(20);
});
