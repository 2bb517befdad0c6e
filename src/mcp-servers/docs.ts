import { EXAMPLE, type FeatureDocs } from "../http/docs.ts";

const SETTINGS = {
  name: "tickets",
  url: "https://mcp.tickets.example.org/mcp",
  auth: "bearer",
  allowed_tools: ["search_tickets"],
  timeout_seconds: 20,
  enabled: true,
};

const SERVER = {
  server_id: EXAMPLE.serverId,
  ...SETTINGS,
  state: "ready",
  error: null,
  tools: [
    {
      name: "search_tickets",
      offered_as: "tickets__search_tickets",
      description: "Finds tickets by words.",
    },
  ],
  other_tools: ["delete_ticket"],
  refused_tools: [],
  listed_at: EXAMPLE.at,
  created_at: EXAMPLE.at,
  updated_at: null,
};

/** The texts and examples of MCP servers as tools of agents. */
export const mcpServerDocs: FeatureDocs = {
  operations: {
    listMcpServers: {
      tag: "Agents",
      summary: "List the MCP servers of an agent",
      description:
        "Returns all servers with the tools that they have listed, as an array without pages, oldest first: an agent has at most 6.",
      answers: { 200: [SERVER] },
      problems: ["not-found"],
    },
    createMcpServer: {
      tag: "Agents",
      summary: "Add an MCP server to an agent",
      description:
        "Adds a server whose tools the agent's model may call, and asks it for them. If the server does not answer, it is added nevertheless; `state` and `error` say what is wrong. Only public addresses with https are requested, and no redirect is followed. The token is encrypted and never returned. For a server with OAuth, go on with `authorizeMcpServer`. The name must be unique in the agent, otherwise the answer is a 409.",
      request: { ...SETTINGS, bearer_token: "EXAMPLE-token-of-the-ticket-system" },
      answers: { 201: SERVER },
      problems: ["not-found", "conflict"],
    },
    getMcpServer: {
      tag: "Agents",
      summary: "Get an MCP server",
      description: "Returns a server with the tools that it has listed.",
      answers: { 200: SERVER },
      problems: ["not-found"],
    },
    updateMcpServer: {
      tag: "Agents",
      summary: "Update an MCP server",
      description:
        "Changes a server; absent members keep their values. The token has to be entered again if the URL changes to another host, and a server with OAuth to be authorized again if its URL changes at all. The server is asked for its tools if its address, its authorization or `allowed_tools` change. The next turn uses the changed server.",
      request: { enabled: false },
      answers: { 200: { ...SERVER, enabled: false, updated_at: EXAMPLE.later } },
      problems: ["not-found", "conflict"],
    },
    deleteMcpServer: {
      tag: "Agents",
      summary: "Delete an MCP server",
      description:
        "Deletes a server with its secrets, and revokes its OAuth tokens if its authorization server offers that. A server that does not exist is a 204 as well.",
      problems: ["not-found"],
    },
    refreshMcpServer: {
      tag: "Agents",
      summary: "List the tools of an MCP server again",
      description:
        "Asks the server for its tools and stores them. If it does not answer, the tools that were listed before stay, and `state` and `error` say what is wrong. The service does this by itself after a turn whose tools are more than an hour old.",
      answers: { 200: SERVER },
      problems: ["not-found"],
    },
    authorizeMcpServer: {
      tag: "Agents",
      summary: "Authorize the use of an MCP server",
      description:
        "Begins an authorization with OAuth 2.1: finds the server's authorization server, registers this service there, and returns the address of the page on which the owner agrees. Open it in a browser within ten minutes. The browser comes back to a page of this service, which asks for a confirmation; then `state` of the server is `ready`. An API key also needs the scope `agents:read`.",
      answers: {
        200: {
          authorization_url: "https://login.tickets.example.org/authorize?client_id=4711&state=v1.a.b.c",
          expires_at: EXAMPLE.later,
        },
      },
      problems: ["not-found", "conflict", "not-configured"],
    },
  },
  schemas: {
    McpServer: {
      description: "An MCP server whose tools an agent may use.",
      fields: {
        server_id: "The id of the server.",
        name: "The beginning of the names of its tools: letters, digits and single underscores, at most 24.",
        url: "The address of the server's endpoint for streamable HTTP, with https.",
        auth: "How the server is authenticated to: `none`, `bearer` (a token that is entered) or `oauth`.",
        allowed_tools:
          "The names of the tools that the agent may use, as the server calls them; null for all of them.",
        timeout_seconds: "After how many seconds a call is given up, 1 to 60.",
        enabled: "Whether the agent's model is offered the tools.",
        state:
          "`new`: not asked yet. `ready`: it has listed its tools. `unauthorized`: it wants another token or authorization. `failed`: `error` says why it did not list its tools.",
        error: "Why the last attempt to list the tools failed; null if it did not.",
        tools: "The tools that the agent may use, simplified where models need that.",
        "tools.name": "The name of the tool, as the server calls it.",
        "tools.offered_as": "The name by which the model calls it.",
        "tools.description": "What the server says about it.",
        other_tools: "The names of tools that are not among `allowed_tools`.",
        refused_tools: "Tools that can't be offered, at most 20.",
        "refused_tools.name": "The name of the tool, as the server calls it.",
        "refused_tools.reason": "Why it can't be offered.",
        listed_at: { description: "When the tools were listed (UTC); null if never.", format: "date-time" },
      },
    },
    McpServerReference: {
      description: "An MCP server for a caller that may not read it.",
      like: "McpServer",
    },
    NewMcpServer: {
      description: "An MCP server to add.",
      like: "McpServer",
      fields: {
        auth: "How the server is authenticated to: `none`, `bearer` or `oauth`; `none` by default.",
        bearer_token: "The token for `bearer`: 4 to 4,000 ASCII characters without spaces.",
        timeout_seconds: "After how many seconds a call is given up, 1 to 60; 20 by default.",
        enabled: "Whether the agent's model is offered the tools; true by default.",
      },
    },
    McpServerChanges: {
      description: "Changes of an MCP server. Absent members keep their values.",
      like: "NewMcpServer",
    },
    McpAuthorization: {
      description: "An authorization that has begun.",
      fields: { authorization_url: "The page on which the owner agrees. Open it in a browser." },
    },
  },
};
