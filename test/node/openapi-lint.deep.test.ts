import { createConfig, lintFromString } from "@redocly/openapi-core";
import { expect, it } from "vitest";
import { describeApi } from "../../scripts/openapi.ts";

/** Rules of the strict set that do not fit, with the reason for each. */
const SWITCHED_OFF = {
  // The second server is the one of `npm run dev`, which readers of the description try things with.
  "no-server-example.com": "off",
  // The paths are those of the legacy service. An agent's id is never `update-schema`, nor a conversation's `memory-blocks`.
  "no-ambiguous-paths": "off",
} as const;

/** Operations that a rule is wrong about: those that refuse nobody, and those that only redirect. */
const EXCEPTIONS: readonly string[] = [
  "operation-4xx-response at #/paths/~1/get/responses",
  "operation-4xx-response at #/paths/~1health/get/responses",
  "operation-4xx-response at #/paths/~1openapi.json/get/responses",
  "operation-2xx-response at #/paths/~1auth~1google/get/responses",
  "operation-2xx-response at #/paths/~1auth~1callback/get/responses",
  "operation-2xx-response at #/paths/~1auth~1callback~1google/get/responses",
  "operation-2xx-response at #/paths/~1widget~1auth~1google/get/responses",
];

async function problemsIn(api: object): Promise<string[]> {
  const config = await createConfig({ extends: ["recommended-strict"], rules: SWITCHED_OFF });
  const problems = await lintFromString({
    source: JSON.stringify(api),
    absoluteRef: "openapi.json",
    config,
  });
  return problems
    .map(({ ruleId, message, location }) => ({
      place: `${ruleId} at ${location.map(({ pointer }) => pointer).join(" ")}`,
      message,
    }))
    .filter(({ place }) => !EXCEPTIONS.includes(place))
    .map(({ place, message }) => `${place}: ${message}`);
}

it("the API description passes the strict rules of Redocly", async () => {
  expect(await problemsIn(describeApi())).toEqual([]);
});

it("a description with a mistake does not pass", async () => {
  const api = describeApi();
  const [methods] = Object.values(api.paths);
  const broken = { ...api, paths: { ...api.paths, "/things/{thingId}": methods } };

  expect((await problemsIn(broken)).join("\n")).toContain("path-parameters-defined");
});
