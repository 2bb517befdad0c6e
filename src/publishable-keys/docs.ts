import { EXAMPLE, type FeatureDocs } from "../http/docs.ts";

const KEY = {
  key_id: EXAMPLE.keyId,
  agent_id: EXAMPLE.agentId,
  public_key: "pk_live_0123456789abcdef0123456789abcdef",
  name: "Shop",
  allowed_origins: ["https://shop.example.com"],
  is_active: true,
  requires_sign_in: false,
  created_by: EXAMPLE.email,
  created_at: EXAMPLE.at,
  last_used_at: null,
  request_count: 0,
};

const PARAMETERS = {
  keyId: { description: "The publishable key's id, `key_id`.", example: EXAMPLE.keyId },
};

const ORIGINS =
  "The origins of the pages that may use the key, such as `https://shop.example.com`: at most 20, with `https`, or with `http` on localhost. If empty, any page may.";

/** The texts and examples of publishable keys. */
export const publishableKeyDocs: FeatureDocs = {
  operations: {
    createPublishableKey: {
      tag: "Agents",
      summary: "Create a publishable key for web pages",
      description:
        "Creates a key that stands in the source of your web pages, for the chat that is embedded there. It opens chats of visitors with this agent and nothing else, so it is no secret; its allowed origins keep pages of others from using it. Send an `Idempotency-Key` to create only one key however often the request is repeated.",
      request: { name: "Shop", allowed_origins: ["https://shop.example.com"], requires_sign_in: false },
      answers: { 201: KEY },
      problems: ["not-found", "conflict"],
    },
    listPublishableKeys: {
      tag: "Agents",
      summary: "List the publishable keys of an agent, newest first",
      description:
        "Returns the keys as an array; if there are more, the header `Next-Cursor` says where to go on. Keys of the legacy Python service can be used once they have been listed.",
      answers: { 200: [{ ...KEY, last_used_at: EXAMPLE.later, request_count: 128 }] },
      headers: ["Next-Cursor"],
      parameters: {
        cursor: { description: "The header `Next-Cursor` of the answer before.", example: EXAMPLE.cursor },
      },
      problems: ["malformed-request", "not-found"],
    },
    getPublishableKey: {
      tag: "Agents",
      summary: "Get a publishable key",
      description: "Returns a key with its settings and the number of requests that have used it.",
      answers: { 200: { ...KEY, last_used_at: EXAMPLE.later, request_count: 128 } },
      parameters: PARAMETERS,
      problems: ["not-found"],
    },
    updatePublishableKey: {
      tag: "Agents",
      summary: "Update a publishable key",
      description:
        "Changes the name or the allowed origins, or disables the key; absent members keep their values. The change applies to the next request.",
      request: { is_active: false },
      answers: { 200: { ...KEY, is_active: false } },
      parameters: PARAMETERS,
      problems: ["not-found"],
    },
    deletePublishableKey: {
      tag: "Agents",
      summary: "Delete a publishable key",
      description:
        "Makes a key invalid at once. Conversations of visitors stay. Deleting a key again, or one that does not exist, is a 204 as well.",
      parameters: PARAMETERS,
      problems: ["not-found"],
    },
  },
  schemas: {
    PublishableKey: {
      description: "A key with which web pages let their visitors chat with one agent.",
      fields: {
        key_id: "The publishable key's id.",
        public_key: "What pages send as `X-API-Key`.",
        name: "What the key is for.",
        allowed_origins: ORIGINS,
        is_active: "Whether the key can be used.",
        requires_sign_in: "Whether visitors have to sign in before they can chat.",
        request_count: "How many requests have used the key.",
      },
    },
    PublishableKeyReference: {
      description: "A publishable key, for callers that may not read agents.",
      like: "PublishableKey",
    },
    NewPublishableKey: {
      description: "A publishable key to create.",
      like: "PublishableKey",
      fields: { name: "What the key is for, at most 100 characters." },
    },
    PublishableKeyChanges: {
      description: "Changes of a publishable key. Absent members keep their values.",
      like: "PublishableKey",
    },
  },
};
