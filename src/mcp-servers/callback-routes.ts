import { type Context, Hono } from "hono";
import { html } from "hono/html";
import * as z from "zod";
import { limitBursts } from "../access/burst-limit.ts";
import type { AppEnv } from "../access/env.ts";
import { publicAccess } from "../access/require-access.ts";
import { webPage } from "../http/openapi.ts";
import { logProblem } from "../http/problem-document.ts";
import { contextOf } from "../http/problem.ts";
import { anyQuery } from "../http/query-names.ts";
import { validate } from "../http/validate.ts";
import { AppError } from "../shared/errors.ts";

/** Nothing is loaded, and the form goes to this service only. */
const CSP = "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
/** Longer values are not ours. */
const MAX_CHARS = 8_000;

const Text = z.string().max(MAX_CHARS);
/** The answer of an authorization server, which the form sends on. */
const Answer = z.strictObject({ state: Text, code: Text, iss: Text.optional() });

/**
 * Where a browser returns from the authorization server of an MCP server. Threat: somebody begins an authorization for an agent of theirs and
 * sends the link to another person. That person would hand their data to a stranger's agent by agreeing, so the page says whose agent it
 * is, and nothing happens before they confirm. Browsers navigate to these routes, so they answer with pages.
 */
export const mcpCallbackRoutes = new Hono<AppEnv>()
  .get("/callback", webPage, anyQuery(), publicAccess, limitBursts("public"), (c) =>
    paged(c, async () => {
      const query = new URL(c.req.url).searchParams;
      const [state = "", code] = [single(query, "state"), single(query, "code")];
      const pending = await c.var.deps.mcpAuthorizationService.pending(state);
      if (!pending) throw new AppError("gone", "This link has expired or was used before. Begin again.");
      if (code === undefined)
        throw new AppError("conflict", "The server was not authorized. Nothing has changed.");

      const { begun, server } = pending;
      const iss = single(query, "iss");
      return page(
        "Use this server?",
        html`<p>
            An agent of the account <b>${recognizable(begun.accountEmail)}</b> will use the server
            <b>${new URL(server.url).host}</b> in your name, as you have just allowed. Everybody who talks to
            that agent can have it read and change what you can.
          </p>
          <p>If this is not your account, close this page.</p>
          <form method="post" action="/mcp-servers/callback">
            <input type="hidden" name="state" value="${state}" />
            <input type="hidden" name="code" value="${code}" />
            ${iss === undefined ? "" : html`<input type="hidden" name="iss" value="${iss}" />`}
            <button>Use it</button>
          </form>`,
      );
    }),
  )
  .post("/callback", webPage, publicAccess, limitBursts("public"), validate("form", Answer), (c) =>
    paged(c, async () => {
      const { state, code, iss } = c.req.valid("form");
      const answer = new URLSearchParams({ state, code, ...(iss !== undefined && { iss }) });
      const server = await c.var.deps.mcpAuthorizationService.complete(state, answer);
      const found =
        server.state === "ready"
          ? `It offers ${server.listing?.tools.length ?? 0} tools to the agent.`
          : `It did not list its tools: ${server.error ?? ""}`;
      return page("The server is connected", html`<p>${found} You can close this page.</p>`);
    }),
  );

/**
 * Returns an e-mail address so that its owner recognizes it. Privacy: the authorization server knows the state, too, and could open this
 * page.
 */
const recognizable = (email: string): string => email.replace(/^(.{1,2})[^@]*@(.{1,2}).*$/u, "$1…@$2…");

type Markup = ReturnType<typeof html>;

const page = (title: string, body: Markup): Markup =>
  html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <title>${title}</title>
        <meta name="viewport" content="width=device-width" />
      </head>
      <body>
        <main>
          <h1>${title}</h1>
          ${body}
        </main>
      </body>
    </html>`;

/** Answers with the page that `make` returns or, if it throws, with one that says why. */
async function paged(c: Context<AppEnv>, make: () => Promise<Markup>): Promise<Response> {
  c.header("content-security-policy", CSP);
  try {
    return c.html(await make());
  } catch (thrown) {
    const error = AppError.from(thrown);
    logProblem(error, contextOf(c));
    return c.html(page("The server is not connected", html`<p>${error.message}</p>`), error.status);
  }
}

/** Returns a parameter; `undefined` if it is absent, too long or occurs twice. */
function single(query: URLSearchParams, name: string): string | undefined {
  const [value, ...more] = query.getAll(name);
  return more.length === 0 && value !== undefined && value.length <= MAX_CHARS ? value : undefined;
}
