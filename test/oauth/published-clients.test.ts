import { beforeAll, describe, expect, it } from "vitest";
import { createApp } from "../../src/app.ts";
import { portsFrom } from "../../src/deps/ports.ts";
import { beginConversation, type Client, clientOf, signUp } from "../support/app.ts";
import { ALL, redeem, register, requestOf } from "./people.ts";

const REDIRECT = "http://127.0.0.1:3000/callback";
const ID = "https://editor.example.com/oauth/client.json";
const document = {
  client_id: ID,
  client_name: "Editor",
  redirect_uris: [REDIRECT],
  token_endpoint_auth_method: "none",
};

/** What the web answers, by address, and what was asked. */
type Web = Readonly<Record<string, () => Response>>;

let owner: Client;
let agentId: string;
beforeAll(async () => {
  owner = await signUp();
  ({ agentId } = await beginConversation(owner));
});

/** The service in production, where addresses are guarded, with a web of its own. */
function serviceOn(web: Web, addresses: readonly string[] = ["93.184.216.34"]) {
  const asked: string[] = [];
  const app = createApp(async (bindings) => {
    const ports = await portsFrom(bindings);
    const fetchIn: typeof fetch = async (input, init) => {
      const request = new Request(input, init);
      asked.push(`${request.url} ${request.redirect}`);
      return web[request.url]?.() ?? new Response("Not found", { status: 404 });
    };
    const providerContext = {
      ...ports.providerContext,
      isLocal: false,
      fetch: fetchIn,
      resolve: async () => addresses,
      allowedOrigins: [],
    };
    return { ...ports, providerContext };
  });
  const person = clientOf(owner.token, owner.email, app);
  const ask = async (clientId: string, changes: Record<string, string> = {}) => {
    const program = await register();
    const request = requestOf({ ...program, clientId }, agentId, changes);
    return {
      program: { ...program, clientId },
      request,
      ...(await person("POST", "/oauth/consent/question", { request })),
    };
  };
  return { person, ask, asked };
}

describe("a client whose id is the address of its metadata", () => {
  it("is shown with the host that publishes it, and gets tokens", async () => {
    const { person, ask, asked } = serviceOn({ [ID]: () => Response.json(document) });

    const { program, request, status, body } = await ask(ID);
    const { body: granted } = await person("POST", "/oauth/consent", { request, scopes: ALL });
    const code = new URL(granted.redirect_to as string).searchParams.get("code") ?? "";

    expect(status).toBe(200);
    expect(body).toMatchObject({ client_name: "Editor", client_host: "editor.example.com" });
    expect((await redeem(program, code)).status).toBe(200);
    expect(asked).toEqual([`${ID} manual`, `${ID} manual`]);
  });

  it("can't send the person to an address that its metadata does not have", async () => {
    const { ask } = serviceOn({ [ID]: () => Response.json(document) });

    const { status, body } = await ask(ID, { redirect_uri: "https://evil.example.org/" });

    expect(status).toBe(400);
    expect(JSON.stringify(body)).not.toContain("evil");
  });

  it.each([
    ["another client's metadata", Response.json({ ...document, client_id: `${ID}?2` })],
    [
      "metadata for clients with a secret",
      Response.json({ ...document, token_endpoint_auth_method: "client_secret_basic" }),
    ],
    ["a script as redirect address", Response.json({ ...document, redirect_uris: ["javascript:alert(1)"] })],
    ["no redirect address", Response.json({ ...document, redirect_uris: "all" })],
    ["a page", new Response("<html>")],
    ["nothing", new Response("", { status: 500 })],
    [
      "a redirect to a private address",
      new Response(null, { status: 302, headers: { location: "http://10.0.0.1/" } }),
    ],
    ["more than 5 KB", Response.json({ ...document, more: "x".repeat(6_000) })],
    [
      "more than 5 KB of which the beginning is complete",
      new Response(JSON.stringify(document).padEnd(6_000)),
    ],
    ["metadata under an error", Response.json(document, { status: 404 })],
  ])("is refused with %s", async (_case, answer) => {
    const { ask, asked } = serviceOn({ [ID]: () => answer });

    const { status, body } = await ask(ID);

    expect(status).toBe(400);
    expect(body.code).toBe("malformed-request");
    expect(asked).toEqual([`${ID} manual`]);
  });

  it("ends reading a document that never ends", async () => {
    const endless = () =>
      new Response(new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(1_024)) }));
    const { ask } = serviceOn({ [ID]: endless });

    expect((await ask(ID)).status).toBe(400);
  });

  it.each([
    "https://127.0.0.1/client.json",
    "https://10.0.0.1/client.json",
    "https://[::1]/client.json",
    "https://localhost/client.json",
    "https://metadata.internal/client.json",
    "https://api.example.com/client.json",
    "https://editor.example.com:22/client.json",
    "https://ann:secret@editor.example.com/client.json",
    "https://editor.example.com/",
    "https://editor.example.com/client.json#fragment",
    "https://editor.example.com/a/../client.json",
  ])("is refused at %s, and nothing is requested", async (id) => {
    const { ask, asked } = serviceOn({});

    expect((await ask(id)).status).toBe(400);
    expect(asked).toEqual([]);
  });

  it("is refused at a name that leads to a private address", async () => {
    const { ask, asked } = serviceOn({ [ID]: () => Response.json(document) }, ["10.0.0.1"]);

    expect((await ask(ID)).status).toBe(400);
    expect(asked).toEqual([]);
  });
});
