import { describe, expect, it } from "vitest";
import { type ModelInfo } from "../../src/llm/provider.ts";
import { ModelListCache } from "../../src/llm/model-lists.ts";
import { signUp } from "../support/app.ts";
import { ask, asked, behaviour, newKey } from "./settings-app.ts";

const live = {
  model_id: "live-1",
  model_name: "Live One",
  display_name: "Live One",
  provider: "Keyed",
  context_tokens: 9_000,
  max_output_tokens: null,
  tools: null,
  vision: null,
  price: null,
  is_live: true,
};
const builtIn = [
  {
    ...live,
    model_id: "old-1",
    model_name: "Old One",
    display_name: "Old One",
    context_tokens: 8_000,
    is_live: false,
  },
  {
    ...live,
    model_id: "old-2",
    model_name: "Old Two",
    display_name: "Old Two",
    context_tokens: null,
    is_live: false,
  },
];
const timesAsked = (wanted: string) => asked.filter(({ key }) => key === wanted).length;

describe("the models of a provider", () => {
  it("are those that it lists for the caller's key, whatever the case of its name, requested once an hour", async () => {
    const client = await signUp();
    const api_key = newKey();
    await ask(client)("POST", "/settings/providers/Keyed", { api_key });
    const start = Date.now();

    for (const name of ["Keyed", "keyed", "KEYED"])
      expect((await ask(client)("GET", `/llm/models/${name}`)).body).toEqual([live]);
    expect(timesAsked(api_key)).toBe(1);

    const at = (ms: number) => ask(client, {}, { now: () => start + ms })("GET", "/llm/models/Keyed");
    await at(59 * 60_000);
    expect(timesAsked(api_key)).toBe(1);
    await at(61 * 60_000);
    expect(timesAsked(api_key)).toBe(2);
  });

  it("are not those of another account's key, nor of a replaced one", async () => {
    const client = await signUp();
    const [first, second] = [newKey(), newKey()];
    behaviour.set(second, () => Promise.resolve([{ id: "other", name: "Other" }]));

    await ask(client)("POST", "/settings/providers/Keyed", { api_key: first });
    await ask(client)("GET", "/llm/models/Keyed");
    await ask(client)("POST", "/settings/providers/Keyed", { api_key: second });

    expect((await ask(client)("GET", "/llm/models/Keyed")).body).toMatchObject([{ model_id: "other" }]);
  });

  it("are a built-in list for accounts that have not configured it", async () => {
    const client = await signUp();

    expect((await ask(client)("GET", "/llm/models/keyed")).body).toEqual(builtIn);
  });

  it("are a built-in list while the provider fails, which is not called again for a minute", async () => {
    const client = await signUp();
    const api_key = newKey();
    behaviour.set(api_key, () => Promise.reject(new Error("down")));
    await ask(client)("POST", "/settings/providers/Keyed", { api_key });

    expect((await ask(client)("GET", "/llm/models/keyed")).body).toEqual(builtIn);
    expect((await ask(client)("GET", "/llm/models/keyed")).body).toEqual(builtIn);
    expect(timesAsked(api_key)).toBe(1);
    await ask(client, {}, { now: () => Date.now() + 61_000 })("GET", "/llm/models/keyed");
    expect(timesAsked(api_key)).toBe(2);
  });

  it("do not exist for an unknown provider", async () => {
    const client = await signUp();

    const { status, body } = await ask(client)("GET", "/llm/models/nobody");

    expect([status, body.detail]).toEqual([404, "Provider not found"]);
  });

  it("are a built-in list in a form if the provider does not answer", async () => {
    const client = await signUp();
    const api_key = newKey();
    behaviour.set(api_key, () => new Promise(() => undefined));
    await ask(client)("POST", "/settings/providers/Keyed", { api_key });

    const { status, body } = await ask(client)("GET", "/agents/supported-models");

    expect(status).toBe(200);
    expect(body.form_inputs[4].options.map(({ value }: { value: string }) => value)).toEqual([
      "old-1",
      "old-2",
      "demo",
    ]);
  });
});

it("is awaited longer by a request for the list than by a form", async () => {
  const client = await signUp();
  const api_key = newKey();
  const slow = (signal: AbortSignal) =>
    new Promise<readonly ModelInfo[]>((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
      setTimeout(() => resolve([{ id: "slow", name: "Slow" }]), 1_900);
    });
  behaviour.set(api_key, slow);
  await ask(client)("POST", "/settings/providers/Keyed", { api_key });

  const form = await ask(client)("GET", "/agents/supported-models");
  const second = await ask(client)("GET", "/agents/update-schema/x");
  expect(JSON.stringify([form.body, second.body])).not.toContain("slow");
  expect(timesAsked(api_key)).toBe(1);

  expect((await ask(client)("GET", "/llm/models/Keyed")).body).toMatchObject([{ model_id: "slow" }]);
  expect(JSON.stringify((await ask(client)("GET", "/agents/supported-models")).body)).toContain("slow");
});

it("caches a bounded number of lists, and evicts the oldest", () => {
  const cache = new ModelListCache();
  const models: readonly ModelInfo[] = [];
  for (let i = 0; i < 501; i++) cache.keep(String(i), { until: 10, timeMs: 5, isCut: false, models });

  expect(cache.find("0", 5)).toBeUndefined();
  expect(cache.find("1", 5)).toEqual({ until: 10, timeMs: 5, isCut: false, models });
  expect(cache.find("1", 10)).toBeUndefined();
});

it("caches a bounded part of a list, whatever a server sends", async () => {
  const client = await signUp();
  const api_key = newKey();
  const endless = Array.from({ length: 3_000 }, (_, index) => ({
    id: `m-${index}`,
    name: "x".repeat(10_000),
  }));
  behaviour.set(api_key, () => Promise.resolve([{ id: "y".repeat(201), name: "Unfit" }, ...endless]));
  await ask(client)("POST", "/settings/providers/Keyed", { api_key });

  const { body } = await ask(client)("GET", "/llm/models/Keyed");

  expect(body).toHaveLength(1_000);
  // Agents take ids of 200 characters.
  expect(body[0]).toMatchObject({ model_id: "m-0", is_live: true });
  expect(JSON.stringify(body).length).toBeLessThan(1_000_000);
});

it("evicts the oldest lists sooner if they are long", () => {
  const cache = new ModelListCache();
  const models = Array.from({ length: 1_000 }, (_, index) => ({ id: String(index), name: "Model" }));
  for (let i = 0; i < 40; i++) cache.keep(String(i), { until: 10, timeMs: 5, isCut: false, models });

  expect(cache.find("0", 5)).toBeUndefined();
  expect(cache.find("39", 5)?.models).toHaveLength(1_000);
});
