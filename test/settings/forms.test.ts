import { expect, it } from "vitest";
import { signUp } from "../support/app.ts";
import { ask, newKey } from "./settings-app.ts";

const key = (label: string, more: object = {}) => ({
  input_type: "password",
  label,
  min: 20,
  max: 200,
  ...more,
});

const forms = (baseUrl?: string) => [
  {
    form_name: "Keyed Configuration",
    submit_path: "/settings/providers/Keyed",
    form_inputs: [key("API Key", { name: "api_key", required: true })],
  },
  {
    form_name: "Addressed Things Configuration",
    submit_path: "/settings/providers/Addressed",
    form_inputs: [
      {
        input_type: "text",
        name: "base_url",
        label: "Base URL",
        ...(baseUrl !== undefined && { value: baseUrl }),
        options: [
          { value: "https://one.example/v1", label: "One" },
          { value: "https://two.example/v1", label: "Two" },
        ],
        attr: { placeholder: "https://" },
        required: true,
        pattern: "^https:\\/\\/",
        max: 500,
        help: "Ends in /v1.",
      },
      {
        input_type: "select",
        name: "region",
        label: "Region",
        ...(baseUrl !== undefined && { value: "eu" }),
        options: [
          { value: "eu", label: "Europe" },
          { value: "us", label: "America" },
        ],
      },
      key("API Key", { name: "api_key" }),
    ],
  },
  {
    form_name: "Paired Configuration",
    submit_path: "/settings/providers/Paired",
    form_inputs: [key("Access Key", { name: "access_key" }), key("Secret Key", { name: "secret_key" })],
  },
];

it("describes the form of every provider by the schema that validates its submission", async () => {
  const client = await signUp();

  const { status, body } = await ask(client)("GET", "/settings/providers");

  expect(status).toBe(200);
  expect(body.map(({ form }: { form: unknown }) => form)).toEqual(forms());
});

it("begins with the stored values, except secrets", async () => {
  const client = await signUp();
  const base_url = "https://mine.example/v1";
  await ask(client)("POST", "/settings/providers/Addressed", { base_url, api_key: newKey() });

  const { body } = await ask(client)("GET", "/settings/providers");

  expect(body.map(({ form }: { form: unknown }) => form)).toEqual(forms(base_url));
});

it("suggests no development servers in production", async () => {
  const client = await signUp();

  const { body } = await ask(client, {}, { isLocal: false })("GET", "/settings/providers");

  expect(JSON.stringify(body)).toContain("one.example");
  expect(JSON.stringify(body)).not.toContain("two.example");
});

it("names the providers' credentials as the legacy Python service has stored them", async () => {
  const client = await signUp();

  const { body } = await client("GET", "/settings/providers");

  type Input = Record<"input_type" | "name" | "label", string> & { readonly required?: boolean };
  type Listing = {
    readonly provider_name: string;
    readonly form: { readonly form_inputs: readonly Input[] };
  };
  const listings: readonly Listing[] = body;
  const inputsOf = (wanted: string) =>
    listings
      .find(({ provider_name }) => provider_name === wanted)
      ?.form.form_inputs.map(({ input_type, name, label, required = false }) => [
        input_type,
        name,
        label,
        required,
      ]);
  expect(listings.map(({ provider_name, form }) => [provider_name, form])).toMatchObject([
    ["Bedrock", { form_name: "AWS Bedrock Configuration", submit_path: "/settings/providers/Bedrock" }],
    ["Anthropic", { form_name: "Anthropic Configuration", submit_path: "/settings/providers/Anthropic" }],
    ["OpenAI", { form_name: "OpenAI Configuration", submit_path: "/settings/providers/OpenAI" }],
    ["OpenAICompatible", { submit_path: "/settings/providers/OpenAICompatible" }],
  ]);
  expect(inputsOf("Bedrock")?.slice(0, 2)).toEqual([
    ["password", "access_key", "AWS Access Key", false],
    ["password", "secret_key", "AWS Secret Key", false],
  ]);
  expect(inputsOf("Anthropic")).toEqual([["password", "api_key", "Anthropic API Key", true]]);
  expect(inputsOf("OpenAICompatible")?.slice(0, 2)).toEqual([
    ["text", "base_url", "Base URL", true],
    ["password", "api_key", "API Key", false],
  ]);
});

it("allows a stored key to be left blank", async () => {
  const client = await signUp();
  await client("POST", "/settings/providers/OpenAI", { api_key: newKey() });

  const { body } = await client("GET", "/settings/providers");

  const openAi = body.find(({ provider_name }: { provider_name: string }) => provider_name === "OpenAI");
  expect(openAi.form.form_inputs[0]).not.toHaveProperty("required");
  expect((await client("POST", "/settings/providers/OpenAI", { api_key: "" })).status).toBe(201);
});
