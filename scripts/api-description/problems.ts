import { type ResponseHeader } from "../../src/http/docs.ts";
import { oauthError, oauthStatus } from "../../src/http/oauth-error.ts";
import { openAiError } from "../../src/http/openai-error.ts";
import type { RouteDoc } from "../../src/http/openapi.ts";
import type { Access } from "../../src/access/require-access.ts";
import { AppError, type ErrorCode } from "../../src/shared/errors.ts";
import type { JsonSchema } from "./schemas.ts";

/** The schema of all problem documents. */
export const PROBLEM: JsonSchema = {
  type: "object",
  description:
    "A problem (RFC 9457). `code` is for programs, `detail` for people. Some problems have further members.",
  required: ["type", "title", "status", "detail", "instance", "code", "request_id"],
  properties: {
    type: { type: "string", format: "uri", description: "`urn:problem:` and the code." },
    title: { type: "string", description: "The kind of problem, in a few words." },
    status: { type: "integer", description: "The HTTP status." },
    detail: { type: "string", description: "What is wrong and what to do, in a sentence for people." },
    instance: { type: "string", description: "The path of the request." },
    code: { type: "string", description: "The kind of problem, for programs. Codes do not change." },
    request_id: { type: "string", description: "Finds the request in the service's log." },
    errors: {
      type: "array",
      description: "With `validation-failed`: what is wrong with each member. Values are never repeated.",
      items: {
        type: "object",
        properties: {
          path: { type: "array", items: { type: "string" }, description: "The path of the member." },
          message: { type: "string", description: "A sentence for people." },
          code: { type: "string", description: "The kind of violation." },
        },
      },
    },
    run_id: { type: "string", description: "With problems of a run: its id." },
    key_id: {
      type: "string",
      description: "With the `conflict` of a repeated creation of an API key: its id.",
    },
    existing_agent_id: {
      type: "string",
      description: "With the `conflict` of a name: the agent that has it.",
    },
    fields: {
      type: "array",
      items: { type: "string" },
      description: "With the `conflict` of a name: the members that differ.",
    },
    reason: { type: "string", description: "With the `conflict` of a payment: why Stripe has refused it." },
    limit: { type: "integer", description: "With `limit-exceeded`: the limit." },
    current: { type: "integer", description: "With `limit-exceeded`: what is used." },
    remaining: { type: "integer", description: "With `limit-exceeded`: what is left, if it is not 0." },
    tier: { type: "string", description: "With `limit-exceeded`: the account's plan." },
    resets_at: {
      type: ["string", "null"],
      format: "date-time",
      description: "With `limit-exceeded`: when the limit resets (UTC); null if it does not.",
    },
    upgrade_url: {
      type: "string",
      format: "uri",
      description: "With `limit-exceeded`: where to get a better plan.",
    },
  },
};

/** The form of an operation's errors. */
export type ErrorForm = "problem" | "openai" | "oauth";

/** The schema of all errors of the routes for OpenAI's clients. */
export const OPENAI_ERROR: JsonSchema = {
  type: "object",
  description:
    "An error as OpenAI's API writes it. `code` and `message` are those that a problem document would have.",
  required: ["error"],
  properties: {
    error: {
      type: "object",
      description: "The error.",
      required: ["message", "type", "param", "code"],
      properties: {
        message: { type: "string", description: "What is wrong and what to do, in a sentence for people." },
        type: {
          type: "string",
          description: "The kind of error in OpenAI's words, such as `invalid_request_error`.",
        },
        param: {
          type: ["string", "null"],
          description: "The member that is not valid; null if it is another error.",
        },
        code: { type: "string", description: "The kind of problem, for programs. Codes do not change." },
      },
    },
  },
};

/** The schema of all errors of the endpoints of OAuth. */
export const OAUTH_ERROR: JsonSchema = {
  type: "object",
  description: "An error as OAuth writes it (RFC 6749, section 5.2).",
  required: ["error", "error_description"],
  properties: {
    error: { type: "string", description: "The kind of error, for programs, such as `invalid_grant`." },
    error_description: {
      type: "string",
      description: "What is wrong and what to do, in a sentence for people.",
    },
  },
};

/** What each problem means, in the words of a reader who meets it for the first time. */
const MEANINGS: Record<ErrorCode, string> = {
  "malformed-request": "The body, a header, a number or a cursor can't be read.",
  unauthenticated: "The token is missing, has expired or is not valid.",
  forbidden: "The caller may not do this, or the account has been deactivated.",
  "not-found": "It does not exist, or is not the caller's; the answer is the same.",
  "method-not-allowed": "The path does not have this method.",
  conflict: "It contradicts the present state, or is being changed at the same time.",
  "conversation-busy": "The conversation's run has not ended yet. Its `run_id` is in the document.",
  "provider-not-configured": "There are no usable credentials for the agent's provider.",
  gone: "It existed, and has expired.",
  "precondition-failed": "It has changed since it was read. Read it again, and repeat the change.",
  "payload-too-large": "The body is too large.",
  "validation-failed": "A member or a parameter is missing, unknown or not valid; `errors` says which.",
  "idempotency-mismatch": "The key was used with another body.",
  "limit-exceeded": "A limit of the plan, or on requests in a short time, has been reached.",
  internal: "Something went wrong in the service.",
  "provider-auth": "The provider has refused the key.",
  "provider-quota": "The quota of the account at the provider is used up.",
  "provider-rate": "The provider limits requests.",
  "provider-overflow": "The conversation exceeds the model's context window.",
  "provider-content": "The provider has refused the content.",
  "provider-unavailable": "The provider has failed or could not be reached.",
  "provider-truncated": "The answer ended before it was complete.",
  "provider-stalled": "The provider sent nothing for too long.",
  "persist-failed": "The answer could not be saved yet; it is saved as soon as possible.",
  "not-configured": "The deployment lacks what this needs. Trying again does not help.",
  unavailable: "The service can't answer at the moment. Trying again may help.",
};

/** Headers of problems, besides `X-Request-Id`. */
const HEADERS: Readonly<Record<number, readonly ResponseHeader[]>> = {
  401: ["WWW-Authenticate"],
  409: ["Retry-After"],
  429: ["Retry-After", "RateLimit", "RateLimit-Policy"],
  502: ["Retry-After"],
  503: ["Retry-After"],
};

/** Returns the codes that follow from the middleware of a route. */
export function codesOf(access: Access, docs: readonly RouteDoc[]): ErrorCode[] {
  const has = (kind: RouteDoc["kind"]) => docs.some((doc) => doc.kind === kind);
  const inputs = docs.filter((doc) => doc.kind === "input");
  const takes = (...targets: readonly string[]) => inputs.some(({ target }) => targets.includes(target));
  const names = inputs
    .filter(({ target }) => target === "query" || target === "header")
    .flatMap(({ schema }) => ("shape" in schema ? Object.keys(schema.shape ?? {}) : []));

  return [
    ...(access === "public" ? [] : (["unauthenticated", "forbidden"] as const)),
    ...(has("any-query") ? [] : (["validation-failed"] as const)),
    ...(takes("json", "form") ? (["malformed-request", "payload-too-large"] as const) : []),
    ...(names.includes("cursor") ? (["malformed-request"] as const) : []),
    ...(names.includes("Idempotency-Key")
      ? (["malformed-request", "conflict", "idempotency-mismatch"] as const)
      : []),
    ...(has("burst") ? (["limit-exceeded"] as const) : []),
    "internal",
    // Every request finds out if the deployment lacks a secret.
    "not-configured",
    "unavailable",
  ];
}

/** Responses with problem documents, each defined once for all operations that have the same status and codes. */
export class Problems {
  readonly #responses = new Map<string, object>();

  /** Returns references to the responses for these codes, by status. */
  of(codes: readonly ErrorCode[], form: ErrorForm = "problem"): Record<string, object> {
    const byStatus = Map.groupBy(new Set(codes), (code) => {
      const error = new AppError(code, "");
      return form === "oauth" ? oauthStatus(error) : error.status;
    });
    const sorted = [...byStatus].toSorted(([a], [b]) => a - b);
    return Object.fromEntries(
      sorted.map(([status, ofStatus]) => [status, this.#reference(status, ofStatus, form)]),
    );
  }

  /** Returns all responses, in the order of their ids. */
  all(): Record<string, object> {
    return Object.fromEntries([...this.#responses].toSorted(([a], [b]) => a.localeCompare(b)));
  }

  #reference(status: number, unsorted: readonly ErrorCode[], form: ErrorForm): object {
    const codes = unsorted.toSorted((a, b) => a.localeCompare(b));
    const id = [...(form === "problem" ? [] : [form]), status, ...codes].join(".");
    this.#responses.set(id, describeProblems(status, codes, form));
    return { $ref: `#/components/responses/${id}` };
  }
}

const describeProblems = (status: number, codes: readonly ErrorCode[], form: ErrorForm): object => ({
  description: codes.map((code) => `\`${code}\`: ${MEANINGS[code]}`).join("\n\n"),
  headers: headersOf(HEADERS[status] ?? []),
  content: CONTENTS[form](codes),
});

const openAiContent = (codes: readonly ErrorCode[]): object => ({
  "application/json": {
    schema: { $ref: "#/components/schemas/OpenAiError" },
    examples: Object.fromEntries(
      codes.map((code) => [code, { value: openAiError(new AppError(code, MEANINGS[code])) }]),
    ),
  },
});

const oauthContent = (codes: readonly ErrorCode[]): object => ({
  "application/json": {
    schema: { $ref: "#/components/schemas/OAuthError" },
    examples: Object.fromEntries(
      codes.map((code) => [
        code,
        { value: oauthError(new AppError(code, MEANINGS[code]), "/oauth/register") },
      ]),
    ),
  },
});

const problemContent = (codes: readonly ErrorCode[]): object => ({
  "application/problem+json": {
    schema: {
      allOf: [{ $ref: "#/components/schemas/Problem" }],
      properties: { code: { enum: codes, description: "The kind of problem, for programs." } },
    },
    examples: Object.fromEntries(codes.map((code) => [code, { value: exampleOf(code) }])),
  },
});

/** What errors of each form look like. */
const CONTENTS: Readonly<Record<ErrorForm, (codes: readonly ErrorCode[]) => object>> = {
  problem: problemContent,
  openai: openAiContent,
  oauth: oauthContent,
};

/** Returns references to response headers, with the one that every answer has. */
export const headersOf = (names: readonly ResponseHeader[]): Record<string, object> =>
  Object.fromEntries(
    ["X-Request-Id", ...names].map((name) => [name, { $ref: `#/components/headers/${name}` }]),
  );

function exampleOf(code: ErrorCode): object {
  const { status, title } = new AppError(code, "");
  return {
    type: `urn:problem:${code}`,
    title,
    status,
    detail: MEANINGS[code],
    instance: "/",
    code,
    request_id: "7d3c6f0e-2b7a-4d57-9a51-0c7e1f8a2b64",
  };
}
