import { EXAMPLE, examplePage, type FeatureDocs } from "../http/docs.ts";

const KEY = {
  key_id: EXAMPLE.keyId,
  name: "Back end",
  hint: "dab_…x7Qw",
  scopes: ["conversations:write", "end-users:write"],
  agent_ids: [EXAMPLE.agentId],
  created_at: EXAMPLE.at,
  expires_at: "2027-01-01T00:00:00.000Z",
  last_used_at: null,
  revoked_at: null,
};

/** The texts and examples of API keys. */
export const apiKeyDocs: FeatureDocs = {
  operations: {
    createApiKey: {
      tag: "Account",
      summary: "Create an API key for a program",
      description:
        "Creates a key with the scopes that a program needs. The answer has the `secret`, which is shown only once: store it, and send it as `Authorization: Bearer dab_…`. `write` does not include `read`. No scope opens the account itself or its keys. A repeat with the same `Idempotency-Key` is a 409 that names the `key_id`, because the secret is not stored.",
      request: {
        name: "Back end",
        scopes: KEY.scopes,
        agent_ids: KEY.agent_ids,
        expires_at: "2027-01-01T00:00:00Z",
      },
      answers: { 201: { ...KEY, secret: "dab_EXAMPLE0000000000000000000000000000x7Qw" } },
      problems: ["not-found", "conflict"],
    },
    listApiKeys: {
      tag: "Account",
      summary: "List API keys, newest first",
      description: "Lists all keys, revoked ones included, without their secrets.",
      answers: { 200: examplePage(KEY) },
    },
    revokeApiKey: {
      tag: "Account",
      summary: "Revoke an API key",
      description:
        "Makes a key invalid at once. It stays in the list. Revoking a key again, or one that does not exist, is a 204 as well.",
      problems: ["conflict"],
    },
  },
  schemas: {
    ApiKey: {
      description: "An API key, without its secret.",
      fields: {
        name: "What the key is for, at most 100 characters.",
        hint: "The beginning and the end of the secret.",
        scopes: "What the key may do.",
        agent_ids: "The only agents that the key may use; null for all of them.",
        last_used_at: {
          description: "When it was last used (UTC), to the hour; null if never.",
          format: "date-time",
        },
      },
    },
    ShownApiKey: {
      description: "A new API key, with its secret.",
      like: "ApiKey",
      fields: { secret: "Shown only in this answer." },
    },
    NewApiKey: {
      description: "An API key to create.",
      like: "ApiKey",
      fields: {
        agent_ids: "The only agents that the key may use, at most 50. If absent, it may use all of them.",
        expires_at: "When it stops being valid. If absent, it is valid until it is revoked.",
      },
    },
  },
};
