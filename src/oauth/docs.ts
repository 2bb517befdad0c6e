import { serverMetadata } from "./server-metadata.ts";
import { EXAMPLE, examplePage, type FeatureDocs } from "../http/docs.ts";
import { CONNECTION_SCOPES } from "./model.ts";

const ORIGIN = "https://api.example.com";
const SCOPES = [...CONNECTION_SCOPES];
const CLIENT_ID = "eyJhbGciOiJIUzI1NiJ9.eyJuYW1lIjoiRWRpdG9yIn0.c2lnbmF0dXJl";
const REDIRECT_URI = "http://127.0.0.1:33418/callback";
const REQUEST = new URLSearchParams({
  response_type: "code",
  client_id: CLIENT_ID,
  redirect_uri: REDIRECT_URI,
  code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
  code_challenge_method: "S256",
  resource: `${ORIGIN}/mcp/agents/${EXAMPLE.agentId}`,
}).toString();

/** The texts and examples of OAuth for MCP clients. */
export const oauthDocs: FeatureDocs = {
  operations: {
    getMcpResourceMetadata: {
      tag: "Account",
      summary: "Find out who issues tokens for an agent's MCP server",
      description:
        "The protected resource metadata (RFC 9728) of an agent's MCP address, to which the `WWW-Authenticate` header of its 401 points. The answer does not depend on whether there is such an agent. MCP clients read it by themselves.",
      answers: {
        200: {
          resource: `${ORIGIN}/mcp/agents/${EXAMPLE.agentId}`,
          authorization_servers: [ORIGIN],
          scopes_supported: SCOPES,
          bearer_methods_supported: ["header"],
        },
      },
    },
    getAuthorizationServerMetadata: {
      tag: "Account",
      summary: "Find out where MCP clients get tokens",
      description:
        "The metadata of the authorization server (RFC 8414). `authorization_endpoint` is a page on which the person signs in and decides. Codes need PKCE with S256 and a `resource`, the MCP address of an agent (RFC 8707). MCP clients read it by themselves.",
      answers: {
        200: serverMetadata(ORIGIN),
      },
    },
    registerOAuthClient: {
      tag: "Account",
      summary: "Register an MCP client",
      description:
        "Dynamic client registration (RFC 7591) for public clients. The `client_id` is the signed metadata itself: nothing is stored, and the same metadata gets the same id. Redirect addresses are https, http on the person's own machine (its port may differ later), or a scheme of the program's own. Other metadata is ignored.",
      request: { client_name: "Editor", redirect_uris: [REDIRECT_URI] },
      answers: {
        201: {
          client_id: CLIENT_ID,
          client_name: "Editor",
          redirect_uris: [REDIRECT_URI],
          grant_types: ["authorization_code", "refresh_token"],
          response_types: ["code"],
          token_endpoint_auth_method: "none",
        },
      },
    },
    issueOAuthToken: {
      tag: "Account",
      summary: "Get tokens for a code or a refresh token",
      description:
        "Redeems a code, once, within a minute, or replaces a refresh token. The access token is valid for an hour, and only at the MCP address of its agent. A client that did not get the answer to a replacement may repeat it; once the new tokens are in use, the replaced refresh token ends the connection. A connection also ends after 60 days without a replacement.",
      request: {
        grant_type: "authorization_code",
        client_id: CLIENT_ID,
        code: "dabo_eyJhbGciOiJkaXIifQ..aXY.Y2lwaGVydGV4dA.dGFn",
        redirect_uri: REDIRECT_URI,
        code_verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
      },
      answers: {
        200: {
          access_token: "dabo_eyJhbGciOiJkaXIifQ..aXY.YWNjZXNz.dGFn",
          token_type: "Bearer",
          expires_in: 3600,
          refresh_token: "dabo_eyJhbGciOiJkaXIifQ..aXY.cmVmcmVzaA.dGFn",
          scope: SCOPES.join(" "),
        },
      },
    },
    revokeOAuthToken: {
      tag: "Account",
      summary: "Revoke the tokens of an MCP client",
      description:
        "Ends the connection that an access or a refresh token belongs to (RFC 7009). The answer is the same for a token that is not valid.",
      request: { token: "dabo_eyJhbGciOiJkaXIifQ..aXY.cmVmcmVzaA.dGFn" },
    },
    getConsentQuestion: {
      tag: "Account",
      summary: "Find out what an MCP client asks for",
      description:
        "For pages that ask a person whether an MCP client may use an agent, such as the one at `/oauth/authorize`. `request` is the query of the client's authorization request. A request of a client that is not known, or with a redirect address that is not the client's, is refused: nobody may be sent there.",
      request: { request: REQUEST },
      answers: {
        200: {
          client_name: "Editor",
          client_host: null,
          redirect_host: "127.0.0.1:33418",
          redirects_to_own_machine: true,
          agent: { agent_id: EXAMPLE.agentId, agent_name: "Ada" },
          scopes: SCOPES,
          fault: null,
          decline_to: `${REDIRECT_URI}?error=access_denied&iss=${encodeURIComponent(ORIGIN)}`,
        },
      },
      problems: ["not-found"],
    },
    giveConsent: {
      tag: "Account",
      summary: "Let an MCP client use an agent",
      description:
        "Grants an authorization request with some or all of its scopes, and returns the address that brings the client its code. Send the browser there. An account can have 100 connected clients; another one is a 409.",
      request: { request: REQUEST, scopes: SCOPES },
      answers: {
        200: {
          redirect_to: `${REDIRECT_URI}?code=dabo_eyJhbGciOiJkaXIifQ&iss=${encodeURIComponent(ORIGIN)}`,
        },
      },
      problems: ["not-found", "conflict"],
    },
    listMcpConnections: {
      tag: "Account",
      summary: "List the MCP clients that you have connected",
      description:
        "Lists what you have let MCP clients do, latest first. API keys that clients use are among the API keys.",
      answers: {
        200: examplePage({
          connection_id: EXAMPLE.sessionId,
          agent_id: EXAMPLE.agentId,
          client_name: "Editor",
          redirect_host: "127.0.0.1:33418",
          scopes: SCOPES,
          created_at: EXAMPLE.at,
          last_used_at: EXAMPLE.later,
          expires_at: "2026-07-01T09:30:04.000Z",
        }),
      },
    },
    endMcpConnection: {
      tag: "Account",
      summary: "Disconnect an MCP client",
      description:
        "Ends a connection: its tokens are invalid at once. Ending a connection that does not exist is a 204 as well.",
    },
  },
  schemas: {
    NewOAuthClient: {
      description: "The metadata of a client (RFC 7591).",
      fields: {
        redirect_uris: "The addresses that answers may go to, at most 10.",
        client_name: "What the client calls itself. People see it when they are asked.",
        grant_types: "If it is sent, it has to contain `authorization_code`.",
        response_types: "If it is sent, it has to contain `code`.",
      },
    },
    OAuthClient: {
      description: "A registered client.",
      fields: {
        client_id: "The id, up to about 2,000 characters long.",
        client_name:
          "What people are shown: the name on one line, or the host of the first redirect address.",
        redirect_uris: "The addresses that answers may go to.",
        grant_types: "The grant types that the client can use.",
        response_types: "Only `code`.",
        token_endpoint_auth_method: "Always `none`: there is no client secret.",
      },
    },
    TokenRequest: {
      description: "A request to the token endpoint (RFC 6749).",
      fields: {
        grant_type: "What is exchanged.",
        client_id: "The id of the client.",
        code: "With `authorization_code`: the code.",
        redirect_uri: "With `authorization_code`: the redirect address of the authorization request.",
        code_verifier: "With `authorization_code`: the text whose hash was the `code_challenge`.",
        refresh_token: "With `refresh_token`: the latest refresh token.",
        resource:
          "The MCP address of the agent. If it is sent, it has to be the one of the authorization request.",
      },
    },
    OAuthTokens: {
      description: "An access token, and the refresh token for the next one.",
      fields: {
        access_token: "The token for the MCP address of the agent.",
        token_type: "Always `Bearer`.",
        expires_in: "How long the access token is valid, in seconds.",
        refresh_token: "Replaces the refresh token that was sent.",
        scope: "What the client may do, separated by spaces.",
      },
    },
    TokenRevocation: {
      description: "A request to revoke a token (RFC 7009).",
      fields: {
        token: "An access or refresh token.",
        client_id: "The id of the client. If it is sent, tokens of other clients are left alone.",
      },
    },
    ConsentRequest: {
      description: "An authorization request.",
      fields: { request: "The query of the authorization request, without its question mark." },
    },
    ConsentQuestion: {
      description: "What an MCP client asks for, to be shown to the person who decides.",
      fields: {
        client_name: "What the client calls itself, which nobody has verified.",
        client_host:
          "The host that publishes the client's metadata, which is verified; null if the client has registered itself.",
        redirect_host: "Where the answer goes: a host, or the scheme of a program.",
        redirects_to_own_machine: "Whether the answer goes to a program on the person's machine.",
        agent: "The agent, or null if the request cannot be granted.",
        "agent.agent_id": "The id of the agent.",
        "agent.agent_name": "The name of the agent.",
        scopes: "What the client may do if the person agrees.",
        fault: "Why the request cannot be granted, in a sentence; null if it can.",
        decline_to: {
          description: "The address that tells the client that nothing was granted.",
          format: "uri",
        },
      },
    },
    Consent: {
      description: "A person's consent to an authorization request.",
      fields: {
        request: "The query of the authorization request, without its question mark.",
        scopes: "What the client may do. Scopes that it has not asked for are ignored.",
      },
    },
    Consented: {
      description: "Where the browser goes on.",
      fields: { redirect_to: { description: "The address that brings the client its code.", format: "uri" } },
    },
    McpConnection: {
      description: "An MCP client that may use one of your agents.",
      fields: {
        connection_id: "The id of the connection.",
        agent_id: "The only agent that the client may use.",
        client_name: "What the client calls itself.",
        redirect_host: "Where you were led back to: a host, or the scheme of a program.",
        scopes: "What the client may do.",
        last_used_at: {
          description: "When it was last used (UTC), accurate to the hour; null if it never was.",
          format: "date-time",
        },
        expires_at: {
          description: "When it ends unless the client gets a new access token before then (UTC).",
          format: "date-time",
        },
      },
    },
  },
};
