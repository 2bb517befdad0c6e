import * as z from "zod";
import type { Connection } from "./model.ts";

/** A connected MCP client in answers. */
export const ConnectionView = z
  .object({
    connection_id: z.string(),
    agent_id: z.string(),
    client_name: z.string(),
    redirect_host: z.string(),
    scopes: z.array(z.string()),
    created_at: z.string(),
    last_used_at: z.string().nullable(),
    expires_at: z.string(),
  })
  .meta({ id: "McpConnection" });

export const toConnectionView = (connection: Connection): z.infer<typeof ConnectionView> => ({
  connection_id: connection.id,
  agent_id: connection.agentId,
  client_name: connection.clientName,
  redirect_host: connection.redirectHost,
  scopes: [...connection.scopes],
  created_at: connection.createdAt,
  last_used_at: connection.lastUsedAt,
  expires_at: new Date(connection.ttl * 1000).toISOString(),
});
