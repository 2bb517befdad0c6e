import { createHash, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server";
import { McpServer as LegacyServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import * as z from "zod";
import type { McpSiteLog, McpSiteOptions, McpSiteRequest } from "../support/mcp-site-protocol.ts";

const LINES = Array.from({ length: 3_000 }, (_, n) => `Line ${n} of the result`).join("\n");
const text = (said: string) => ({ content: [{ type: "text" as const, text: said }] });

/** The tools of every server, as both SDKs take them. */
const TOOLS = {
  echo: { description: "Repeats a text.", run: (said: string) => text(said) },
  long: { description: "Says much.", run: () => text(LINES) },
  fail: { description: "Fails.", run: () => ({ ...text("It is broken."), isError: true }) },
  picture: {
    description: "Draws.",
    run: () => ({ content: [{ type: "image" as const, data: "AAAA", mimeType: "image/png" }] }),
  },
} as const;

type ToolName = keyof typeof TOOLS;
const NAMES = Object.keys(TOOLS) as readonly ToolName[];

interface Session {
  readonly transport: StreamableHTTPServerTransport;
  readonly epoch: number;
}

interface Site {
  readonly server: Server;
  readonly origin: string;
  options: McpSiteOptions;
  readonly requests: McpSiteRequest[];
  readonly grants: Record<string, string>[];
  readonly sessions: Map<string, Session>;
  /** By code: the challenge that its verifier must meet. */
  readonly codes: Map<string, string>;
  readonly refreshTokens: Set<string>;
  issued: number;
}

/** MCP servers for tests, each at a port of its own, served by the official SDKs. */
export class McpSites {
  readonly #sites = new Map<string, Site>();

  async start(options: McpSiteOptions): Promise<string> {
    const server = createServer((request, response) => {
      answer(site, request, response).catch((error: unknown) => {
        response.statusCode = 500;
        response.end(String(error));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    // A server that listens on TCP has an address of this shape.
    const { port } = server.address() as AddressInfo;
    const origin = `http://127.0.0.1:${port}`;
    const site: Site = {
      server,
      origin,
      options,
      requests: [],
      grants: [],
      sessions: new Map(),
      codes: new Map(),
      refreshTokens: new Set(),
      issued: 0,
    };
    this.#sites.set(origin, site);
    return origin;
  }

  change(origin: string, options: McpSiteOptions): void {
    this.#site(origin).options = options;
  }

  log(origin: string): McpSiteLog {
    const { requests, grants } = this.#site(origin);
    return { requests, grants };
  }

  stop(): void {
    for (const { server } of this.#sites.values()) {
      server.close();
      server.closeAllConnections();
    }
  }

  #site(origin: string): Site {
    const site = this.#sites.get(origin);
    if (!site) throw new Error(`There is no MCP server at ${origin}`);
    return site;
  }
}

async function answer(site: Site, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", site.origin);
  const body = await bodyOf(request);
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
  );
  response.on("finish", () =>
    site.requests.push({
      method: request.method ?? "",
      path: url.pathname,
      rpc: url.pathname === "/mcp" ? methodIn(body) : "",
      status: response.statusCode,
      headers,
    }),
  );
  if (url.pathname !== "/mcp") return authorize(site, url, body, response);

  const { bearer, oauth, tokenEpoch = 0, protocol, callScope } = site.options;
  const token = (headers["authorization"] ?? "").replace("Bearer ", "");
  const isAllowed = oauth
    ? token.startsWith(`access-${tokenEpoch}-`)
    : bearer === undefined || token === bearer;
  if (!isAllowed) {
    const metadata = `${site.origin}/.well-known/oauth-protected-resource/mcp`;
    response.setHeader("www-authenticate", `Bearer resource_metadata="${metadata}", scope="tools:use"`);
    return json(response, 401, { error: "invalid_token" });
  }
  const isShortOf = (scope: string) =>
    !(site.grants.findLast((grant) => "code_challenge" in grant)?.["scope"] ?? "").split(" ").includes(scope);
  if (callScope !== undefined && methodIn(body) === "tools/call" && isShortOf(callScope)) {
    response.setHeader("www-authenticate", `Bearer error="insufficient_scope", scope="${callScope}"`);
    return json(response, 403, { error: "insufficient_scope" });
  }
  return protocol === "sessions"
    ? serveSession(site, request, response, body)
    : serveStateless(site, request, response, { url, body, headers });
}

function methodIn(body: string): string {
  const message: unknown = body === "" ? {} : JSON.parse(body);
  const method = (message as { method?: unknown }).method;
  return typeof method === "string" ? method : "";
}

async function serveStateless(
  site: Site,
  request: IncomingMessage,
  response: ServerResponse,
  { url, body, headers }: { url: URL; body: string; headers: Record<string, string> },
): Promise<void> {
  const handler = createMcpHandler(() => {
    const server = new McpServer({ name: "a server of the tests", version: "1" });
    for (const name of offered(site)) {
      const { description, run } = TOOLS[name];
      server.registerTool(
        name,
        { description, inputSchema: z.object({ text: z.string() }) },
        ({ text: said }) => run(said),
      );
    }
    return server;
  });
  const method = request.method ?? "GET";
  const answered = await handler.fetch(
    new Request(url, { method, headers, ...(method === "POST" && { body }) }),
  );
  response.writeHead(answered.status, Object.fromEntries(answered.headers));
  if (answered.body) for await (const piece of answered.body) response.write(piece);
  response.end();
}

async function serveSession(
  site: Site,
  request: IncomingMessage,
  response: ServerResponse,
  body: string,
): Promise<void> {
  const { sessionEpoch = 0 } = site.options;
  const known = site.sessions.get(String(request.headers["mcp-session-id"]));
  const message: unknown = body === "" ? undefined : JSON.parse(body);
  if (known) {
    if (known.epoch === sessionEpoch) return known.transport.handleRequest(request, response, message);
    return json(response, 404, {
      jsonrpc: "2.0",
      id: null,
      error: { code: -32_001, message: "Session not found" },
    });
  }
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: () => randomUUID(),
    onsessioninitialized: (id) => void site.sessions.set(id, { transport, epoch: sessionEpoch }),
  });
  const server = new LegacyServer({ name: "a server of the tests", version: "1" });
  for (const name of offered(site)) {
    const { description, run } = TOOLS[name];
    server.registerTool(name, { description, inputSchema: { text: z.string() } }, ({ text: said }) =>
      run(said),
    );
  }
  await server.connect(transport);
  return transport.handleRequest(request, response, message);
}

const offered = ({ options }: Site): readonly ToolName[] =>
  NAMES.filter((name) => !options.removed?.includes(name));

/** The authorization server, at the origin of the MCP server. */
function authorize(site: Site, url: URL, body: string, response: ServerResponse): void {
  const { origin, options } = site;
  switch (url.pathname) {
    case "/.well-known/oauth-protected-resource/mcp":
      return json(response, 200, { resource: `${origin}/mcp`, authorization_servers: [origin] });
    case "/.well-known/oauth-authorization-server":
      return json(response, 200, {
        issuer: origin,
        authorization_endpoint: `${origin}/authorize`,
        token_endpoint: `${origin}/token`,
        revocation_endpoint: `${origin}/revoke`,
        ...(options.registers !== false && { registration_endpoint: `${origin}/register` }),
        response_types_supported: ["code"],
        code_challenge_methods_supported: ["S256"],
        authorization_response_iss_parameter_supported: true,
      });
    case "/register":
      site.grants.push({ register: body });
      return json(response, 201, { ...(JSON.parse(body) as object), client_id: "client-of-the-tests" });
    case "/authorize": {
      const code = randomUUID();
      site.codes.set(code, url.searchParams.get("code_challenge") ?? "");
      site.grants.push(Object.fromEntries(url.searchParams));
      const back = new URL(url.searchParams.get("redirect_uri") ?? "");
      for (const [name, value] of Object.entries({
        code,
        iss: origin,
        state: url.searchParams.get("state") ?? "",
      }))
        back.searchParams.set(name, value);
      response.writeHead(302, { location: back.href });
      return void response.end();
    }
    case "/token":
      return issue(site, new URLSearchParams(body), response);
    case "/revoke": {
      const form = new URLSearchParams(body);
      site.grants.push({ revoke: form.get("token") ?? "", client_id: form.get("client_id") ?? "" });
      return json(response, options.revocationStatus ?? 200, {});
    }
    default:
      return json(response, 404, {});
  }
}

function issue(site: Site, form: URLSearchParams, response: ServerResponse): void {
  site.grants.push(Object.fromEntries(form));
  const { tokenEpoch = 0, refusesRefresh, expiresIn = 3_600 } = site.options;
  const challenge = site.codes.get(form.get("code") ?? "");
  const verifier = createHash("sha256")
    .update(form.get("code_verifier") ?? "")
    .digest("base64url");
  const isNew = form.get("grant_type") === "authorization_code" && challenge === verifier;
  // As the protocol recommends: each refresh token is good for one use.
  const isRenewed = !refusesRefresh && site.refreshTokens.delete(form.get("refresh_token") ?? "");
  site.codes.delete(form.get("code") ?? "");
  if (!isNew && !isRenewed) return json(response, 400, { error: "invalid_grant" });

  const number = ++site.issued;
  site.refreshTokens.add(`refresh-${number}`);
  return json(response, 200, {
    access_token: `access-${tokenEpoch}-${number}`,
    token_type: "Bearer",
    expires_in: expiresIn,
    refresh_token: `refresh-${number}`,
  });
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
