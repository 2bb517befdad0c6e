// The back end of the page beside this file: it serves the page and gives it tokens for the person who uses it. Your own back end
// does the same for the person who is signed in there. The API key stays here; the page never sees it.
//
// API_URL    the address of the service; http://localhost:8787 if unset
// API_TOKEN  an API key with the scopes agents:read, agents:write and end-users:write; without it, an account of local
//            development is used
// PORT       the port of the page; 3000 if unset
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";

const API = process.env.API_URL ?? "http://localhost:8787";
const PORT = Number(process.env.PORT ?? "3000");
const ORIGIN = `http://localhost:${PORT}`;
const FILES = {
  "/": { file: "index.html", type: "text/html; charset=utf-8" },
  "/chat.js": { file: "chat.js", type: "text/javascript; charset=utf-8" },
};

const apiToken = process.env.API_TOKEN ?? (await localToken());
// Only pages of these origins may use the tokens.
const agent = await post("/agents", {
  agent_name: `Browser example on port ${PORT}`,
  agent_architecture: "krishna-memgpt",
  agent_provider: process.env.PROVIDER ?? "Demo",
  agent_model: process.env.MODEL ?? "demo",
  agent_persona: "A friendly assistant.",
  allowed_origins: [ORIGIN],
});

createServer((request, response) => {
  answer(request, response).catch((error) => {
    console.error(error);
    response.writeHead(500).end();
  });
}).listen(PORT, "127.0.0.1", () => console.log(`ready: ${ORIGIN}`));

async function answer(request, response) {
  const { pathname } = new URL(request.url ?? "/", ORIGIN);
  const page = FILES[pathname];
  if (request.method === "GET" && page) {
    const content = await readFile(new URL(page.file, import.meta.url));
    response.writeHead(200, {
      "content-type": page.type,
      "content-security-policy": `default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self' ${API}`,
    });
    response.end(content);
  } else if (request.method === "POST" && pathname === "/token") {
    // Replace this by the session of your own sign-in: whoever knows an end user's id must not become that end user.
    const visitor =
      /(?:^|; )visitor=([\w-]{36})(?:;|$)/u.exec(request.headers.cookie ?? "")?.[1] ?? randomUUID();
    const { token } = await post(`/agents/${agent.agent_id}/client-tokens`, {
      end_user_id: visitor,
      origins: [ORIGIN],
    });
    response.writeHead(200, {
      "content-type": "application/json",
      "set-cookie": `visitor=${visitor}; HttpOnly; SameSite=Strict; Path=/; Max-Age=31536000`,
    });
    response.end(JSON.stringify({ api: API, agentId: agent.agent_id, token }));
  } else {
    response.writeHead(404).end();
  }
}

async function post(path, body) {
  const response = await fetch(`${API}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${apiToken}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

/** Signs up with a local account, or logs in if it exists. */
async function localToken() {
  for (const step of ["signup", "login"]) {
    const response = await fetch(`${API}/auth/local/${step}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ username: "browser-example", password: "secret" }),
    });
    if (response.ok) return (await response.json()).token;
  }
  throw new Error(`Nobody can sign in at ${API} without a token. Set API_TOKEN to an API key.`);
}
