import { createServer, type ServerResponse } from "node:http";
import { createDemoAgent, signInToDemo } from "./demo-account.ts";
import { listenOn } from "./listen.ts";

/** The name of the demo agent's key, which visitors see above the chat. */
const KEY_NAME = "Corner Library";

/** A page of somebody's site, with the chat of an agent. */
const pageWith = (api: string, agentId: string, key: string): string => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>Corner Library</title>
    <link rel="stylesheet" href="/style.css">
    <script src="${api}/widget.js" data-agent="${agentId}" data-key="${key}" data-colour="#0a6b52"
      data-greeting="Hello! I am the library’s assistant. Tell me your name, and what you like to read." defer></script>
  </head>
  <body>
    <header><strong>Corner Library</strong> <nav aria-label="Main"><a href="#hours">Hours</a> <a href="#lending">Lending</a></nav></header>
    <main>
      <h1>Books around the corner</h1>
      <p>This page stands for somebody’s site. It has another origin than the service, and a strict content security policy. The
        button in the corner opens the chat of the demo agent.</p>
      <h2 id="hours">Hours</h2>
      <p>From Monday to Friday, the library is open from ten to eight; on Saturdays, until four.</p>
      <h2 id="lending">Lending</h2>
      <p>Readers may borrow twelve books at a time, for four weeks.</p>
    </main>
  </body>
</html>
`;

const STYLE = `
:root { color-scheme: light dark; }
body { max-width: 42rem; margin: 0 auto; padding: 1.5rem; font: 1.05rem/1.65 Georgia, "Liberation Serif", serif; }
header { display: flex; justify-content: space-between; gap: 1rem; flex-wrap: wrap; padding-bottom: 1rem; border-bottom: 1px solid #8886; }
nav a { margin-left: 1rem; color: inherit; }
h1 { margin: 3rem 0 1rem; font-size: 2.4rem; line-height: 1.15; }
h2 { margin-top: 2.5rem; font-size: 1.3rem; }
`;

/** A server that runs on this machine. */
export interface DemoSite {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/**
 * Serves a page with the widget on a port of its own, as another site would embed it. The demo agent and its key are created when the page is
 * loaded for the first time. `api` is the address of the service.
 */
export async function startDemoSite(api: string, port: number): Promise<DemoSite> {
  const url = `http://localhost:${port}`;
  const server = createServer((request, response) => {
    void answer(request.url ?? "/", response);
  });

  async function answer(path: string, response: ServerResponse): Promise<void> {
    if (path === "/style.css") return send(response, 200, "text/css", STYLE);
    if (path !== "/") return send(response, 404, "text/plain", "Nothing was found at this path.\n");
    try {
      const { agentId, key } = await demoKey(api, url);
      // What the how-to recommends to sites, and nothing more: it shows that the widget needs no other exception.
      const policy = `default-src 'none'; script-src ${api}; connect-src ${api}; style-src 'self'; base-uri 'none'`;
      response.setHeader("content-security-policy", policy);
      send(response, 200, "text/html", pageWith(api, agentId, key));
    } catch (error) {
      send(response, 503, "text/plain", `${error instanceof Error ? error.message : String(error)}\n`);
    }
  }

  const stop = await listenOn(server, port);
  return { url, stop };
}

function send(response: ServerResponse, status: number, type: string, content: string): void {
  response.writeHead(status, { "content-type": `${type}; charset=utf-8` });
  response.end(content);
}

/** Returns a key of the demo agent with which pages of this origin may chat; creates it if there is none. Throws what the client throws. */
async function demoKey(api: string, origin: string): Promise<{ agentId: string; key: string }> {
  const client = await signInToDemo(api);
  const { agent_id: agentId } = await createDemoAgent(client);
  const path = { agentId };
  const keys = await client.request("GET", "/agents/{agentId}/api-keys", { path });
  const found = keys.find(({ name }) => name === KEY_NAME);
  // The page's port may have been another one before.
  const key = await (found
    ? client.request("PATCH", "/agents/{agentId}/api-keys/{keyId}", {
        path: { agentId, keyId: found.key_id },
        body: { allowed_origins: [origin], is_active: true },
      })
    : client.request("POST", "/agents/{agentId}/api-keys", {
        path,
        body: { name: KEY_NAME, allowed_origins: [origin] },
      }));
  return { agentId, key: key.public_key };
}
