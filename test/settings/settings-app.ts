import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import * as z from "zod";
import { createApp } from "../../src/app.ts";
import { portsFrom } from "../../src/deps/ports.ts";
import { providerError } from "../../src/llm/errors.ts";
import type { ChatModel, ModelChunk } from "../../src/llm/model.ts";
import { defineProvider, described, type ModelInfo, type ProviderContext } from "../../src/llm/provider.ts";
import { type Answer, type Client, table } from "../support/app.ts";

/** A key that must not be visible anywhere after it was posted. */
export const newKey = (): string => `sk-canary-${crypto.randomUUID()}`;

const Key = z.string().trim().min(20).max(200);

const secret = (title: string) => described(Key, { title, secret: true });

/** What the providers below were asked; by key. */
export const asked: { readonly key: string; readonly at: string }[] = [];

/** What the provider below answers, by key: a list of models, unless a test says otherwise. */
export const behaviour = new Map<string, (signal: AbortSignal) => Promise<readonly ModelInfo[]>>();

/** Keys with which the models of the providers below answer. With others, they can't be reached. */
export const answering = new Set<string>();

const openFor = (key: string, id: string | null): ChatModel => {
  if (!answering.has(key)) throw providerError.unavailable(new Error("Never opened."));
  return { id: id ?? "default", contextTokens: 8_000, stream: () => hello() };
};

async function* hello(): AsyncGenerator<ModelChunk> {
  await Promise.resolve();
  yield { type: "text", text: "Hello." };
}

const listFor = (key: string, at: string, signal: AbortSignal): Promise<readonly ModelInfo[]> => {
  asked.push({ key, at });
  const live = [{ id: "live-1", name: "Live One", contextTokens: 9_000 }];
  return behaviour.get(key)?.(signal) ?? Promise.resolve(live);
};

/** One secret and nothing else. */
const keyed = defineProvider({
  name: "Keyed",
  label: "Keyed",
  credentials: z.object({ api_key: secret("API Key") }),
  models: [
    { id: "old-1", name: "Old One", contextTokens: 8_000 },
    { id: "old-2", name: "Old Two" },
  ],
  open: ({ api_key }, model) => openFor(api_key, model),
  listModels: ({ api_key }, _context, signal) => listFor(api_key, "keyed", signal),
});

/** An address in addition to the key, as in providers that use another one's protocol. */
const addressed = defineProvider({
  name: "Addressed",
  label: "Addressed Things",
  credentials: z.object({
    base_url: described(
      z
        .string()
        .trim()
        .max(500)
        .regex(/^https:\/\//u),
      {
        title: "Base URL",
        help: "Ends in /v1.",
        placeholder: "https://",
        presets: [{ value: "https://one.example/v1", label: "One" }],
        localPresets: [{ value: "https://two.example/v1", label: "Two" }],
      },
    ),
    region: described(z.enum(["eu", "us"]).default("eu"), {
      title: "Region",
      options: [
        { value: "eu", label: "Europe" },
        { value: "us", label: "America" },
      ],
    }),
    api_key: described(Key.optional(), { title: "API Key", secret: true }),
  }),
  models: [],
  validateCredentials: ({ base_url }: { base_url: string }) =>
    base_url.includes("forbidden") ? "This address is out of bounds." : undefined,
  open: ({ api_key }, model) => openFor(api_key ?? "", model),
  listModels: ({ api_key, base_url }, _context, signal) => listFor(api_key ?? "", base_url, signal),
});

/** Two secrets that only work together, and one that replaces both. */
const paired = defineProvider({
  name: "Paired",
  label: "Paired",
  credentials: z
    .object({
      access_key: described(Key.optional(), { title: "Access Key", secret: true }),
      secret_key: described(Key.optional(), { title: "Secret Key", secret: true }),
    })
    .refine(({ access_key, secret_key }) => (access_key === undefined) === (secret_key === undefined), {
      path: ["secret_key"],
      error: "Both keys are needed",
    }),
  models: [],
  open: () => {
    throw providerError.unavailable(new Error("Never opened."));
  },
  listModels: () => Promise.resolve([]),
});

/** A request to an app with the providers above, as this user, in an environment that may differ from the tests' own. */
export function ask(client: Client, variables: object = {}, context: Partial<ProviderContext> = {}) {
  const app = createApp(async (bindings) => {
    const ports = await portsFrom(bindings);
    return {
      ...ports,
      providers: [keyed, addressed, paired, ...ports.providers.filter(({ name }) => name === "Demo")],
      providerContext: { ...ports.providerContext, ...context },
    };
  });

  return async (method: string, path: string, body?: unknown): Promise<Answer> => {
    const ctx = createExecutionContext();
    const headers = { authorization: `Bearer ${client.token}`, "content-type": "application/json" };
    const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
    const response = await app.request(path, init, { ...env, ...variables }, ctx);
    const text = await response.text();
    await waitOnExecutionContext(ctx);
    return { status: response.status, headers: response.headers, body: text === "" ? "" : JSON.parse(text) };
  };
}

export const settingsKeyOf = (client: Client, provider: string) => ({
  pk: `User#${client.email}`,
  sk: `ProviderSettings#${provider}`,
});

/** What is stored for a provider. */
export const storedSettings = (client: Client, provider: string) =>
  table.get(settingsKeyOf(client, provider));
