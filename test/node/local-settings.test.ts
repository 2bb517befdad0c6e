import { expect, it } from "vitest";
import { experimental_readRawConfig } from "wrangler";
import { OPTIONAL_SECRETS } from "../../scripts/wrangler-dev.ts";
import { VARIABLE_NAMES } from "../../src/config.ts";

it("the Worker of local development can be given every setting, because wrangler passes declared ones only", () => {
  const { vars = {}, secrets } = experimental_readRawConfig({ config: "wrangler.toml" }).rawConfig;
  const declared = [...Object.keys(vars), ...(secrets?.required ?? []), ...OPTIONAL_SECRETS];

  expect(VARIABLE_NAMES.filter((name) => !declared.includes(name))).toEqual([]);
});
