import { expect, inject, it } from "vitest";
import { violationsIn } from "./accessibility.ts";
import { answers, openChat, said, say, useWidgetStand } from "./widget-site.ts";
import { scriptModel } from "../support/control.ts";

const { stand, siteWith } = useWidgetStand({
  OIDC_ISSUER: inject("openId"),
  GOOGLE_CLIENT_ID: "local",
  GOOGLE_CLIENT_SECRET: "local",
});

it("signs a visitor in through a window of the service, and takes a token from nowhere else", async () => {
  stand.allowOrigin(new URL(inject("openId")).origin);
  const model = await scriptModel([{ text: "Now I know you." }]);
  const site = await siteWith({ model: model.name, requiresSignIn: true });
  const page = await site.open();
  await openChat(page);
  await page.getByText("Please sign in to chat.").waitFor();
  expect(await violationsIn(page)).toEqual([]);

  await page.evaluate(`postMessage({ type: "innomight-oauth-callback", token: "forged", visitor: {} }, "*")`);
  // A message that is posted later arrives later.
  await page.evaluate(`new Promise((resolve) => {
    addEventListener("message", resolve, { once: true });
    postMessage("done", "*");
  })`);
  expect(await page.evaluate("JSON.stringify(localStorage)")).not.toContain("forged");
  expect(await page.getByRole("textbox").count()).toBe(0);

  // Another window of the service's origin, which the chat has not opened.
  const stranger = page.context().waitForEvent("page");
  await page.evaluate(`open(${JSON.stringify(`${stand.url}/widget/auth/callback-page`)})`);
  const other = await stranger;
  await other.getByText("You can close this window.").waitFor();
  const heard = page.evaluate(
    `new Promise((resolve) => addEventListener("message", resolve, { once: true }))`,
  );
  await other.evaluate(`opener.postMessage({ type: "innomight-oauth-callback", token: "forged" }, "*")`);
  await heard;
  await other.close();
  expect(await page.evaluate("JSON.stringify(localStorage)")).not.toContain("forged");

  const opened = page.context().waitForEvent("page");
  await page.getByRole("button", { name: "Sign in with Google" }).click();
  const popup = await opened;
  if (!popup.isClosed()) await popup.waitForEvent("close");
  await say(page, "Who am I?");
  await answers(page).getByText("Now I know you.").waitFor();

  expect(await said(page).count()).toBe(1);
  // Neither the page's address nor its history has a token.
  expect(page.url()).toBe(`${site.origin}/`);
  await page.reload();
  await answers(page).getByText("Now I know you.").waitFor();

  // Hours later, the token is refused.
  stand.allow(/status of 401/u);
  await page.evaluate(`for (const [name, kept] of Object.entries(localStorage))
    localStorage.setItem(name, JSON.stringify({ ...JSON.parse(kept), token: "expired" }))`);
  await page.reload();
  await page.getByText("Please sign in to chat.").waitFor();
  expect(await page.getByRole("alert").count()).toBe(0);
});

it("asks a visitor to sign in who came before the key required it", async () => {
  const model = await scriptModel([{ text: "Hello, stranger." }]);
  const site = await siteWith({ model: model.name });
  const page = await site.open();
  await openChat(page);
  await say(page, "Hello");
  await answers(page).getByText("Hello, stranger.").waitFor();
  const keys = `/agents/${site.agentId}/api-keys`;
  const [key] = await site.account.call<readonly { key_id: string }[]>("GET", keys);
  await site.account.call("PATCH", `${keys}/${key?.key_id}`, { requires_sign_in: true });

  await page.reload();

  await page.getByRole("button", { name: "Sign in with Google" }).waitFor();
  expect(await page.getByRole("alert").count()).toBe(0);
});

it("says why a sign-in has failed, where the person can try again", async () => {
  const site = await siteWith({ model: "demo", requiresSignIn: true });
  const page = await site.open();
  await openChat(page);
  const message = {
    type: "innomight-oauth-error",
    error: "access_denied",
    message: "You did not allow the sign-in.",
  };
  await page.context().route("**/widget/auth/google?*", (route) =>
    route.fulfill({
      contentType: "text/html",
      body: `<script>opener.postMessage(${JSON.stringify(message)}, ${JSON.stringify(site.origin)}); close();</script>`,
    }),
  );

  await page.getByRole("button", { name: "Sign in with Google" }).click();

  await expect
    .poll(() => page.getByRole("alert").allInnerTexts())
    .toEqual(["You did not allow the sign-in."]);
  expect(await page.getByRole("button", { name: "Sign in with Google" }).isEnabled()).toBe(true);
});

it("shows a sentence if the browser blocks the window", async () => {
  const site = await siteWith({ model: "demo", requiresSignIn: true });
  const page = await site.open();
  await page.evaluate("globalThis.open = () => null");
  await openChat(page);

  await page.getByRole("button", { name: "Sign in with Google" }).click();

  await expect
    .poll(() => page.getByRole("alert").allInnerTexts())
    .toEqual(["The browser has blocked the sign-in window. Allow it, and try again."]);
});
