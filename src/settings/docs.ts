import { EXAMPLE, type FeatureDocs } from "../http/docs.ts";

const CONFIGURED = { provider_name: "OpenAI", is_configured: true, key_hint: "x7Qw", problem: null };
const PROVIDER = { ...CONFIGURED, created_at: EXAMPLE.at, updated_at: EXAMPLE.later };

/** The texts and examples of the settings of model providers. */
export const settingsDocs: FeatureDocs = {
  operations: {
    listProviders: {
      tag: "Account",
      summary: "List model providers and their forms",
      description:
        "Lists all providers as an array without pages, with the form that asks for their credentials and whether credentials are stored. Stored secrets are never returned.",
      answers: {
        200: [
          {
            ...CONFIGURED,
            form: {
              form_name: "OpenAI",
              submit_path: "/settings/providers/OpenAI",
              form_inputs: [
                { input_type: "password", name: "openai_api_key", label: "API Key", required: true },
              ],
            },
          },
        ],
      },
    },
    getProvider: {
      tag: "Account",
      summary: "Get whether a provider is configured",
      description: "Says whether usable credentials are stored, since when, and the end of the first secret.",
      answers: { 200: PROVIDER },
      problems: ["not-found"],
    },
    configureProvider: {
      tag: "Account",
      summary: "Store credentials for a provider",
      description:
        "Stores the values of the provider's form, encrypted, and replaces earlier ones. The credentials are not tried: use `testProvider`. Agents of this provider use them from their next turn on.",
      request: { openai_api_key: "sk-EXAMPLE-not-a-key" },
      answers: { 201: PROVIDER },
      problems: ["not-found", "conflict"],
    },
    removeProvider: {
      tag: "Account",
      summary: "Delete the credentials for a provider",
      description:
        "Deletes what is stored. Agents of this provider answer messages with 409 `provider-not-configured` until new credentials are stored. Without stored credentials, it is a 204 as well.",
      problems: ["not-found", "conflict"],
    },
    testProvider: {
      tag: "Account",
      summary: "Test the stored credentials of a provider",
      description:
        "Sends a short message to a model with the stored credentials, or lists the models. A refusal by the provider is a 200 with `ok: false`, a sentence and a code. The provider may charge a few tokens.",
      answers: { 200: { ok: true, message: "gpt-4o-mini has answered.", code: null, checked: "message" } },
      problems: ["not-found", "provider-not-configured", "provider-unavailable"],
    },
    listModels: {
      tag: "Account",
      summary: "List the models of a provider",
      description:
        "Lists what the provider offers for the stored credentials or, if it does not answer, a built-in list (`is_live` is false). Use the ids as `agent_model`.",
      answers: {
        200: [
          {
            model_id: "gpt-4o-mini",
            model_name: "GPT-4o mini",
            display_name: "GPT-4o mini",
            provider: "OpenAI",
            context_tokens: 128_000,
            max_output_tokens: 16_384,
            tools: true,
            vision: true,
            price: { input: 0.15, output: 0.6 },
            is_live: true,
          },
        ],
      },
      problems: ["not-found"],
    },
  },
  schemas: {
    Provider: {
      description: "Whether a provider is configured.",
      fields: {
        key_hint: "The last four characters of the first secret; null if there is none, or a short one.",
        problem: "Why the stored credentials cannot be used; null if they can.",
        created_at: {
          description: "When credentials were first stored (UTC); null if there are none.",
          format: "date-time",
        },
        updated_at: {
          description: "When credentials were last stored (UTC); null if there are none.",
          format: "date-time",
        },
      },
    },
    ProviderListing: {
      description: "A provider, its form, and whether it is configured.",
      like: "Provider",
      fields: { form: "The form that asks for the credentials." },
    },
    ProviderCredentials: { description: "The values of the provider's form, by the names of its inputs." },
    ProviderTrial: {
      description: "The result of a test.",
      fields: {
        ok: "Whether the provider accepts the credentials.",
        code: "The code of the problem; null on success.",
        checked:
          "`message` if a model has answered, `list` if the provider only listed its models, null on failure.",
      },
    },
    Model: {
      description: "A model of a provider.",
      fields: {
        model_id: "The model's id, for `agent_model`.",
        model_name: "The model's name.",
        display_name: "The same as `model_name`.",
        provider: "The provider's name.",
        context_tokens: "The context window in tokens; null if unknown.",
        max_output_tokens: "How many tokens it writes at most; null if unknown.",
        tools: "Whether it can call tools, which memory requires; null if unknown.",
        vision: "Whether it can see images; null if unknown.",
        price: "US dollars per million tokens; null if unknown.",
        is_live:
          "True if the provider listed the model for your credentials, false if it is from a built-in list.",
        "price.input": "For tokens that the model reads.",
        "price.output": "For tokens that the model writes.",
      },
    },
  },
};
