import * as z from "zod";
import { AUTH_KINDS, type McpServer, namedTools, STATES } from "./model.ts";

/** An MCP server in answers, without its secrets. */
export const McpServerView = z
  .object({
    server_id: z.string(),
    name: z.string(),
    url: z.string(),
    auth: z.enum(AUTH_KINDS),
    allowed_tools: z.array(z.string()).nullable(),
    timeout_seconds: z.number(),
    enabled: z.boolean(),
    state: z.enum(STATES),
    error: z.string().nullable(),
    tools: z.array(z.object({ name: z.string(), offered_as: z.string(), description: z.string() })),
    other_tools: z.array(z.string()),
    refused_tools: z.array(z.object({ name: z.string(), reason: z.string() })),
    listed_at: z.string().nullable(),
    created_at: z.string(),
    updated_at: z.string().nullable(),
  })
  .meta({ id: "McpServer" });

export const McpServerReference = McpServerView.pick({
  server_id: true,
  created_at: true,
  updated_at: true,
}).meta({ id: "McpServerReference" });

/** Returns a server as answers and exports show it. */
export const toMcpServerView = (server: McpServer): z.infer<typeof McpServerView> => ({
  server_id: server.id,
  name: server.name,
  url: server.url,
  auth: server.auth,
  allowed_tools: server.allowedTools && [...server.allowedTools],
  timeout_seconds: server.timeoutSeconds,
  enabled: server.enabled,
  state: server.state,
  error: server.error,
  tools: namedTools(server).map(({ name, tool }) => ({
    name: tool.name,
    offered_as: name,
    description: tool.description,
  })),
  other_tools: [...(server.listing?.others ?? [])],
  refused_tools: (server.listing?.refused ?? []).map((tool) => ({ ...tool })),
  listed_at: server.listing?.listedAt ?? null,
  created_at: server.createdAt,
  updated_at: server.updatedAt,
});

export const AuthorizationView = z
  .object({ authorization_url: z.string(), expires_at: z.string() })
  .meta({ id: "McpAuthorization" });
