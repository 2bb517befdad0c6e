import type { BrowserContext, Page } from "playwright-core";
import { expect, inject, it } from "vitest";
import { useStand } from "./stand.ts";

/** A real OpenID issuer, the same as that of `npm run dev:oidc`: it checks the client and PKCE, and signs its tokens. */
const ISSUER = inject("openId");

const stand = useStand({ OIDC_ISSUER: ISSUER, GOOGLE_CLIENT_ID: "local", GOOGLE_CLIENT_SECRET: "local" });

/** Lines of Chromium about requests of somebody who is not signed in. */
const NOT_SIGNED_IN = /status of 401/u;

/**
 * Opens the playground, and gives the issuer the page that it lacks: it signs everybody in without asking. `change` may change what leads
 * back from there.
 */
async function visit(change?: (back: URL) => void): Promise<{ page: Page; context: BrowserContext }> {
  stand.allow(NOT_SIGNED_IN);
  stand.allowOrigin(new URL(ISSUER).origin);
  const context = await stand.context();
  await context.route(`${ISSUER}/authorize*`, async (route) => {
    const asked = new URL(route.request().url());
    if (asked.searchParams.has("agreed")) {
      const answer = await route.fetch({ maxRedirects: 0 });
      const back = new URL(answer.headers()["location"] ?? "");
      change?.(back);
      return route.fulfill({ status: 302, headers: { location: back.href } });
    }
    const agree = new URL(asked);
    agree.searchParams.set("agreed", "1");
    const cancel = new URL(asked.searchParams.get("redirect_uri") ?? "");
    cancel.searchParams.set("error", "access_denied");
    cancel.searchParams.set("state", asked.searchParams.get("state") ?? "");
    const link = (name: string, { href }: URL) => `<a href="${href.replaceAll("&", "&amp;")}">${name}</a>`;
    return route.fulfill({
      contentType: "text/html",
      body: `<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>Issuer</title>
        <h1>Continue as Grace?</h1>${link("Continue", agree)} ${link("Cancel", cancel)}</html>`,
    });
  });
  const page = await context.newPage();
  await page.goto("/");
  await page.getByRole("link", { name: /^Sign in with / }).click();
  await page.getByRole("heading", { name: "Continue as Grace?" }).waitFor();
  return { page, context };
}

it("leads to the issuer's page and back, and stays signed in after a reload", async () => {
  const { page } = await visit();

  await page.getByRole("link", { name: "Continue" }).click();

  await page.locator("#main").waitFor();
  expect(new URL(page.url()).pathname).toBe("/");
  expect(page.url()).not.toMatch(/code|state|token/u);
  await page.reload();
  await page.locator("#main").waitFor();
});

it("says that the sign-in was cancelled, and lets the person try again", async () => {
  const { page } = await visit();

  await page.getByRole("link", { name: "Cancel" }).click();

  await page.getByText("The sign-in was cancelled.").waitFor();
  expect(await page.locator("#main").count()).toBe(0);
  await page.getByRole("link", { name: /^Sign in with / }).click();
  await page.getByRole("link", { name: "Continue" }).click();
  await page.locator("#main").waitFor();
});

it("refuses an answer with another state, and signs nobody in", async () => {
  const { page, context } = await visit((back) => back.searchParams.set("state", "forged"));

  await page.getByRole("link", { name: "Continue" }).click();

  await page.getByText("The sign-in could not be verified. Please try again.").waitFor();
  expect(await page.locator("#main").count()).toBe(0);
  expect((await context.cookies()).filter(({ name }) => name.includes("refresh"))).toEqual([]);
});
