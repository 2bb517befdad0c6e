import { serverMetadata } from "./server-metadata.ts";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import * as z from "zod";
import { countBurst, countsBursts, limitBursts } from "../access/burst-limit.ts";
import type { AppEnv } from "../access/env.ts";
import { publicAccess, requireAccess } from "../access/require-access.ts";
import { maxBody } from "../http/middleware/body-limit.ts";
import { anyOrigin, documenting, operation } from "../http/openapi.ts";
import { AgentIdText } from "../http/schemas.ts";
import { validate } from "../http/validate.ts";
import { AppError } from "../shared/errors.ts";
import { MAX_REQUEST, resourceOf } from "./authorization-request.ts";
import { CONNECTION_SCOPES } from "./model.ts";
import { refusal } from "./refusals.ts";

/** Of metadata and of requests for tokens, in bytes. */
const BODY_LIMIT = 16 * 1024;
/** Metadata changes only with a deployment; clients read it before each sign-in. */
const PUBLIC = "public, max-age=300";

/** Other metadata is ignored, as RFC 7591 says. */
const NewClient = z
  .object({
    redirect_uris: z.array(z.string()).min(1).max(10),
    client_name: z.string().optional(),
    grant_types: z.array(z.string()).max(10).optional(),
    response_types: z.array(z.string()).max(10).optional(),
  })
  .meta({ id: "NewOAuthClient" });

const RegisteredClient = z
  .object({
    client_id: z.string(),
    client_name: z.string(),
    redirect_uris: z.array(z.string()),
    grant_types: z.array(z.string()),
    response_types: z.array(z.string()),
    token_endpoint_auth_method: z.string(),
  })
  .meta({ id: "OAuthClient" });

/** For the API description only: the handler reads the form, and answers a malformed one as OAuth says. */
const TokenRequest = z
  .object({
    grant_type: z.enum(["authorization_code", "refresh_token"]),
    client_id: z.string(),
    code: z.string().optional(),
    redirect_uri: z.string().optional(),
    code_verifier: z.string().optional(),
    refresh_token: z.string().optional(),
    resource: z.string().optional(),
  })
  .meta({ id: "TokenRequest" });

const Tokens = z
  .object({
    access_token: z.string(),
    token_type: z.literal("Bearer"),
    expires_in: z.number().int(),
    refresh_token: z.string(),
    scope: z.string(),
  })
  .meta({ id: "OAuthTokens" });

const Revocation = z
  .object({ token: z.string(), client_id: z.string().optional() })
  .meta({ id: "TokenRevocation" });

const Request = z.string().min(1).max(MAX_REQUEST);

const ConsentRequest = z.strictObject({ request: Request }).meta({ id: "ConsentRequest" });

const Question = z
  .object({
    client_name: z.string(),
    client_host: z.string().nullable(),
    redirect_host: z.string(),
    redirects_to_own_machine: z.boolean(),
    agent: z.object({ agent_id: z.string(), agent_name: z.string() }).nullable(),
    scopes: z.array(z.string()),
    fault: z.string().nullable(),
    decline_to: z.string(),
  })
  .meta({ id: "ConsentQuestion" });

const Consent = z
  .strictObject({ request: Request, scopes: z.array(z.enum(CONNECTION_SCOPES)).min(1) })
  .meta({ id: "Consent" });

const Consented = z.object({ redirect_to: z.string() }).meta({ id: "Consented" });

/** Describes a body of `application/x-www-form-urlencoded`. */
const describeForm = (schema: z.ZodType): MiddlewareHandler =>
  documenting({
    kind: "input",
    target: "form",
    schema,
    isUrlEncoded: true,
  });

/** Where clients find out how to get a token (RFC 9728 and RFC 8414). */
export const metadataRoutes = new Hono<AppEnv>()
  .get(
    "/oauth-protected-resource/mcp/agents/:agentId",
    operation("getMcpResourceMetadata", { 200: "json" }),
    publicAccess,
    anyOrigin,
    // The answer is the same whether there is such an agent or not.
    validate("param", z.object({ agentId: AgentIdText })),
    (c) => {
      const origin = requireOrigin(c);
      c.header("Cache-Control", PUBLIC);
      return c.json(
        {
          resource: resourceOf(origin, c.req.valid("param").agentId),
          authorization_servers: [origin],
          scopes_supported: [...CONNECTION_SCOPES],
          bearer_methods_supported: ["header"],
        },
        200,
      );
    },
  )
  .get(
    "/oauth-authorization-server",
    operation("getAuthorizationServerMetadata", { 200: "json" }),
    publicAccess,
    anyOrigin,
    (c) => {
      const origin = requireOrigin(c);
      c.header("Cache-Control", PUBLIC);
      return c.json(serverMetadata(origin), 200);
    },
  );

/** The endpoints that clients call (RFC 7591, RFC 6749 and RFC 7009), and those that the page of consent calls for the person. */
export const oauthRoutes = new Hono<AppEnv>()
  .post(
    "/register",
    operation("registerOAuthClient", { 201: RegisteredClient }),
    maxBody(BODY_LIMIT),
    publicAccess,
    limitBursts("public"),
    anyOrigin,
    validate("json", NewClient),
    async (c) => {
      const { redirect_uris, client_name, grant_types, response_types } = c.req.valid("json");
      const client = await c.var.deps.requireAuthorizationService().register({
        name: client_name,
        redirectUris: redirect_uris,
        grantTypes: grant_types,
        responseTypes: response_types,
      });
      return c.json(
        {
          client_id: client.id,
          client_name: client.name,
          redirect_uris: [...client.redirectUris],
          grant_types: ["authorization_code", "refresh_token"],
          response_types: ["code"],
          token_endpoint_auth_method: "none",
        },
        201,
      );
    },
  )
  .post(
    "/token",
    operation("issueOAuthToken", { 200: Tokens }),
    maxBody(BODY_LIMIT),
    publicAccess,
    countsBursts,
    anyOrigin,
    describeForm(TokenRequest),
    async (c) => {
      const form = await formOf(c);
      return c.json(await c.var.deps.requireAuthorizationService().token(form, countAttempt(c)), 200);
    },
  )
  .post(
    "/revoke",
    operation("revokeOAuthToken", { 200: "empty" }),
    maxBody(BODY_LIMIT),
    publicAccess,
    countsBursts,
    anyOrigin,
    describeForm(Revocation),
    async (c) => {
      const form = await formOf(c);
      await c.var.deps.requireAuthorizationService().revoke(form, countAttempt(c));
      return c.body(null, 200);
    },
  )
  .post(
    "/consent/question",
    operation("getConsentQuestion", { 200: Question }),
    requireAccess("user"),
    // It may read the metadata of a client from another server.
    limitBursts("costly"),
    validate("json", ConsentRequest),
    async (c) => {
      const { accountEmail } = c.var.scope;
      const { request } = c.req.valid("json");
      const asked = await c.var.deps.requireAuthorizationService().question(accountEmail, request);
      return c.json(
        {
          client_name: asked.client.name,
          client_host: asked.client.host,
          redirect_host: asked.redirectHost,
          redirects_to_own_machine: asked.isOwnMachine,
          agent: asked.agent && { agent_id: asked.agent.id, agent_name: asked.agent.name },
          scopes: [...asked.scopes],
          fault: asked.fault,
          decline_to: asked.declineTo,
        },
        200,
      );
    },
  )
  .post(
    "/consent",
    operation("giveConsent", { 200: Consented }),
    requireAccess("user"),
    limitBursts("costly"),
    validate("json", Consent),
    async (c) => {
      const { request, scopes } = c.req.valid("json");
      const service = c.var.deps.requireAuthorizationService();
      const address = await service.grant(c.var.scope.accountEmail, request, scopes);
      return c.json({ redirect_to: address }, 200);
    },
  );

/**
 * Counts what this service has issued for its connection, and anything else for the address: whoever guesses is slowed down, and keeps
 * nobody behind the same address from refreshing a token.
 */
const countAttempt =
  (c: Context<AppEnv>) =>
  (connectionId: string | undefined): Promise<void> =>
    countBurst(c, "public", connectionId && `McpConnection#${connectionId}`);

/** Returns the origin of this service. Throws `not-configured` if it is not known: a request could forge it. */
function requireOrigin(c: Context<AppEnv>): string {
  const { publicOrigin } = c.var.deps;
  if (publicOrigin === undefined)
    throw new AppError("not-configured", "OAuth is not set up on this deployment.");
  return publicOrigin;
}

/** Reads a form. Throws a refusal if it is none, or if a parameter comes twice (RFC 6749, section 3.2). */
async function formOf(c: Context<AppEnv>): Promise<ReadonlyMap<string, string>> {
  if (!/^application\/x-www-form-urlencoded\b/iu.test(c.req.header("content-type") ?? ""))
    throw refusal("invalid_request", "Send the parameters as application/x-www-form-urlencoded.");
  // As bytes: workerd warns that such a body is no text.
  const text = new TextDecoder().decode(await c.req.arrayBuffer());
  const parameters = [...new URLSearchParams(text)];
  const form = new Map(parameters);
  if (form.size !== parameters.length) throw refusal("invalid_request", "A parameter was sent twice.");
  return form;
}
