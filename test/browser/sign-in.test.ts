import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import type { Page } from "playwright-core";
import { afterAll, expect, it } from "vitest";
import { freePort } from "../../scripts/free-port.ts";
import { startOpenIdServer } from "../../scripts/openid-server.ts";
import { useStand } from "./stand.ts";

const issuer = await startIssuerWithPage();
afterAll(() => issuer.stop());

const stand = useStand({
  OIDC_ISSUER: issuer.url,
  OUTBOUND_ALLOW: issuer.url,
  GOOGLE_CLIENT_ID: "local",
  GOOGLE_CLIENT_SECRET: "local",
});

/**
 * The issuer of `npm run dev:oidc` behind a proxy that gives it what it lacks: a page on which a person agrees, or does not. `forge` leads
 * back with another state.
 */
async function startIssuerWithPage() {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const behind = await startOpenIdServer(url);

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = new URL(request.url ?? "/", url);
    if (asked.pathname === "/authorize" && !asked.searchParams.has("agreed")) {
      response.writeHead(200, { "content-type": "text/html" }).end(pageFor(asked));
      return;
    }
    const body = await text(request);
    const headers = Object.fromEntries(
      Object.entries(request.headers).flatMap(([name, value]) =>
        typeof value === "string" && !["connection", "content-length", "host"].includes(name)
          ? [[name, value]]
          : [],
      ),
    );
    const method = request.method ?? "GET";
    const answered = await fetch(new URL(asked.pathname + asked.search, behind.url), {
      method,
      headers,
      redirect: "manual",
      ...(body !== "" && { body }),
    });
    const location = answered.headers.get("location");
    const type = answered.headers.get("content-type");
    response
      .writeHead(answered.status, { ...(location && { location }), ...(type && { "content-type": type }) })
      .end(await answered.text());
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    url,
    async stop() {
      server.close();
      server.closeAllConnections();
      await behind.stop();
    },
  };
}

/** The issuer's page: to go on, to go on with a forged state, and to cancel. */
function pageFor(asked: URL): string {
  const link = (name: string, { href }: URL) => `<a href="${href.replaceAll("&", "&amp;")}">${name}</a>`;
  const agreed = new URL(asked);
  agreed.searchParams.set("agreed", "1");
  const forged = new URL(agreed);
  forged.searchParams.set("state", "forged");
  const cancelled = new URL(asked.searchParams.get("redirect_uri") ?? "");
  cancelled.searchParams.set("error", "access_denied");
  cancelled.searchParams.set("state", asked.searchParams.get("state") ?? "");
  const links = [link("Continue", agreed), link("Forge", forged), link("Cancel", cancelled)];
  return `<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>Issuer</title>
    <h1>Continue as Grace?</h1><p>${links.join(" ")}</p></html>`;
}

/** Opens the playground, and goes from there to the issuer's page. */
async function atIssuer(): Promise<Page> {
  // Chromium notes answers of 401 to somebody who is not signed in.
  stand.allow(/status of 401/u);
  stand.allowOrigin(issuer.url);
  const page = await stand.open("/");
  await toIssuer(page);
  return page;
}

async function toIssuer(page: Page): Promise<void> {
  await page.getByRole("link", { name: /^Sign in with / }).click();
  await page.getByRole("heading", { name: "Continue as Grace?" }).waitFor();
}

it("leads to the issuer's page and back, and stays signed in after a reload", async () => {
  const page = await atIssuer();

  await page.getByRole("link", { name: "Continue" }).click();

  await page.getByText("Grace Hopper").first().waitFor();
  expect(page.url()).toMatch(new RegExp(`^${stand.url}/(?:#/[a-z]*)?$`, "u"));
  await page.reload();
  await page.getByText("Grace Hopper").first().waitFor();
});

it("says that the sign-in was cancelled, and lets the person try again", async () => {
  const page = await atIssuer();

  await page.getByRole("link", { name: "Cancel" }).click();

  await page.getByText("The sign-in was cancelled.").waitFor();
  expect(await page.locator("#main").count()).toBe(0);
  await toIssuer(page);
  await page.getByRole("link", { name: "Continue" }).click();
  await page.getByText("Grace Hopper").first().waitFor();
});

it("refuses an answer with another state, and signs nobody in", async () => {
  const page = await atIssuer();

  await page.getByRole("link", { name: "Forge" }).click();

  await page.getByText("The sign-in could not be verified. Please try again.").waitFor();
  expect(await page.locator("#main").count()).toBe(0);
  expect((await page.context().cookies()).filter(({ name }) => name.includes("dab_refresh"))).toEqual([]);
});
