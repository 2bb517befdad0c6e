import { McpAuthorizationService } from "../mcp-servers/authorization-service.ts";
import type { McpPorts } from "../mcp-servers/calls.ts";
import { CALLBACK_PATH } from "../mcp-servers/model.ts";
import { McpOAuthClient } from "../mcp-servers/oauth-client.ts";
import { McpServerSecrets } from "../mcp-servers/secrets.ts";
import { McpServerService } from "../mcp-servers/service.ts";
import { McpTokens } from "../mcp-servers/tokens.ts";
import { guardedFetch } from "../shared/guarded-fetch.ts";
import type { Ports } from "./ports.ts";
import type { Repositories } from "./repositories.ts";

/** Constructs what several services about MCP servers share. */
function createParts(
  { ciphers: { vault }, providerContext: policy, clock }: Ports,
  { mcpServers: servers }: Pick<Repositories, "mcpServers">,
) {
  const fetch = guardedFetch(policy);
  const secrets = new McpServerSecrets({ vault });
  const oauthClient = new McpOAuthClient({ fetch, policy, now: clock.now });
  const tokens = new McpTokens({ servers, secrets, oauthClient, clock });
  const mcpServerService = new McpServerService({ servers, secrets, tokens, fetch, policy, clock });
  return { fetch, secrets, oauthClient, tokens, servers, clock, mcpServerService };
}

/** Constructs the services about MCP servers. */
export function createMcpServices(ports: Ports, repositories: Pick<Repositories, "mcpServers">) {
  const { mcpServerService, ...parts } = createParts(ports, repositories);
  const { publicOrigin } = ports.config;
  const mcpAuthorizationService = new McpAuthorizationService({
    ...parts,
    lists: mcpServerService,
    redirectUri: publicOrigin && `${publicOrigin}${CALLBACK_PATH}`,
  });
  return { mcpServerService, mcpAuthorizationService };
}

/** Constructs what turns need to call the tools of MCP servers. */
export function createMcpPorts(ports: Ports, repositories: Pick<Repositories, "mcpServers">): McpPorts {
  const { fetch, tokens, clock, mcpServerService: lists } = createParts(ports, repositories);
  return { fetch, tokens, lists, clock };
}
