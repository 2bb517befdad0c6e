/** What is expected of the scenarios of one kind. Each scenario of the suite stands in one of the three members. */
export interface Expectations {
  /** All of their checks pass. */
  readonly passing: readonly string[];
  /** The checks that fail or warn, by scenario; the decision pages have the reasons. All other checks of these scenarios pass. */
  readonly failing: Readonly<Record<string, readonly string[]>>;
  /** The scenarios that do not apply, by reason. */
  readonly leftOut: Readonly<Record<string, readonly string[]>>;
}

/** Of an agent's MCP server. */
export const SERVER: Expectations = {
  passing: [
    "server-initialize",
    "server-session-lifecycle",
    "ping",
    "tools-list",
    "server-sse-multiple-streams",
    "resources-list",
    "sep-2164-resource-not-found",
    "dns-rebinding-protection",
    "http-header-validation",
  ],
  failing: {
    "server-stateless": [
      // They need diagnostic tools of the suite's own server.
      "sep-2575-http-server-no-independent-requests-on-stream",
      "sep-2575-missing-capability-http-400",
      "sep-2575-server-no-log-without-loglevel",
      "sep-2575-server-rejects-undeclared-capability",
    ],
    // There are no prompts.
    caching: ["sep-2549-prompts-list-caching-hints"],
  },
  leftOut: {
    "call a tool that only the suite's own server has": [
      "tools-call-simple-text",
      "tools-call-image",
      "tools-call-audio",
      "tools-call-embedded-resource",
      "tools-call-mixed-content",
      "tools-call-error",
      "tools-call-with-progress",
      "json-schema-2020-12",
      "http-custom-header-server-validation",
    ],
    "read a resource that only the suite's own server has": [
      "resources-read-text",
      "resources-read-binary",
      "resources-templates-read",
    ],
    "need logging, completion or prompts, which are not offered": [
      "logging-set-level",
      "tools-call-with-logging",
      "completion-complete",
      "prompts-list",
      "prompts-get-simple",
      "prompts-get-with-args",
      "prompts-get-embedded-resource",
      "prompts-get-with-image",
    ],
    "need subscriptions to changes, which are not offered": ["resources-subscribe", "resources-unsubscribe"],
    "need streams that can be resumed, which are not offered": ["server-sse-polling"],
    "need a tool that asks its client for more input, of which there is none": [
      "tools-call-sampling",
      "tools-call-elicitation",
      "elicitation-sep1034-defaults",
      "elicitation-sep1330-enums",
      "input-required-result-basic-elicitation",
      "input-required-result-basic-sampling",
      "input-required-result-basic-list-roots",
      "input-required-result-request-state",
      "input-required-result-multiple-input-requests",
      "input-required-result-multi-round",
      "input-required-result-missing-input-response",
      "input-required-result-non-tool-request",
      "input-required-result-result-type",
      "input-required-result-unsupported-methods",
      "input-required-result-tampered-state",
      "input-required-result-capability-check",
      "input-required-result-ignore-extra-params",
      "input-required-result-validate-input",
    ],
    "are about the extensions of skills and tasks, which are not offered": [
      "sep-2640-skills-directory",
      "sep-2640-skills-enumeration",
      "sep-2640-skills-manifest",
      "tasks-lifecycle",
      "tasks-capability-negotiation",
      "tasks-wire-fields",
      "tasks-request-state-removal",
      "tasks-mrtr-input",
      "tasks-request-headers",
      "tasks-dispatch-and-envelope",
      "tasks-status-notifications",
      "tasks-required-task-error",
      "tasks-mrtr-composition",
    ],
  },
};

/** Of the authorization server. */
export const AUTHORIZATION: Expectations = {
  passing: ["authorization-server-metadata-endpoint", "authorization-code-grant"],
  failing: {},
  leftOut: {},
};

/** Of the client of MCP servers. */
export const CLIENT: Expectations = {
  passing: [
    "initialize",
    "tools_call",
    "request-metadata",
    "http-standard-headers",
    "http-custom-headers",
    "http-invalid-tool-headers",
    "json-schema-ref-no-deref",
    "auth/metadata-default",
    "auth/metadata-var1",
    "auth/metadata-var2",
    "auth/metadata-var3",
    "auth/scope-from-www-authenticate",
    "auth/scope-from-scopes-supported",
    "auth/scope-omitted-when-undefined",
    "auth/scope-step-up",
    "auth/scope-retry-limit",
    "auth/token-endpoint-auth-basic",
    "auth/token-endpoint-auth-post",
    "auth/token-endpoint-auth-none",
    "auth/2025-03-26-oauth-metadata-backcompat",
    "auth/resource-mismatch",
    "auth/offline-access-scope",
    "auth/offline-access-not-supported",
    "auth/authorization-server-migration",
    "auth/iss-supported",
    "auth/iss-not-advertised",
    "auth/iss-supported-missing",
    "auth/iss-wrong-issuer",
    "auth/iss-unexpected",
    "auth/iss-normalized",
    "auth/metadata-issuer-mismatch",
  ],
  failing: {
    // The client does not resume streams.
    "sse-retry": ["client-sse-graceful-reconnect"],
  },
  leftOut: {
    "need a client id that its owner enters, which is not offered": ["auth/pre-registration"],
    "need the client id that the suite expects to be the address of metadata": ["auth/basic-cimd"],
    "need endpoints without metadata, which can't say that they support PKCE": [
      "auth/2025-03-26-oauth-endpoint-fallback",
    ],
    "need a person who enters more during a call, whom the agent does not have": [
      "elicitation-sep1034-client-defaults",
      "sep-2322-client-request-state",
    ],
    "need schemas as they were listed, which are simplified for the models": [
      "json-schema-2020-12-preservation",
    ],
    "are about extensions of authorization and of skills, which are not offered": [
      "auth/client-credentials-jwt",
      "auth/client-credentials-basic",
      "auth/enterprise-managed-authorization",
      "auth/dpop",
      "auth/dpop-nonce",
      "auth/wif-jwt-bearer",
      "sep-2640-client-no-prefetch",
      "sep-2640-client-verify-digest",
      "sep-2640-client-verify-size",
      "sep-2640-client-verify-frontmatter",
    ],
  },
};

/** The scenarios in which the service must refuse the suite's server. In all others, a turn has to end in an answer. */
export const REFUSED: readonly string[] = [
  "auth/resource-mismatch",
  "auth/iss-supported-missing",
  "auth/iss-wrong-issuer",
  "auth/iss-unexpected",
  "auth/iss-normalized",
  "auth/metadata-issuer-mismatch",
];
