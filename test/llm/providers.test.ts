import { expect, it } from "vitest";
import { availableProviders, findProvider, PROVIDER_NAMES } from "../../src/llm/providers.ts";

it("has every provider that an agent may name, and the demo model in local development only", () => {
  const names = (isLocal: boolean) => availableProviders(isLocal).map(({ name }) => name);

  expect(names(true).toSorted()).toEqual([...PROVIDER_NAMES].toSorted());
  expect(names(false)).not.toContain("Demo");
  expect(findProvider("Demo", true)?.name).toBe("Demo");
  expect(findProvider("Demo", false)).toBeUndefined();
  expect(findProvider("demo", true)).toBeUndefined();
});
