import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { BrowserContextOptions, Locator, Page } from "playwright-core";
import { onTestFinished } from "vitest";
import { OPEN_ROOTS } from "./chromium.ts";
import { type Account, type Stand, useStand } from "./stand.ts";

/** A site of somebody else, which embeds a chat. */
export interface WidgetSite {
  readonly origin: string;
  /** The key that its pages use. */
  readonly key: string;
  readonly agentId: string;
  readonly account: Account;
  /** Opens its page. */
  readonly open: (options?: BrowserContextOptions) => Promise<Page>;
}

export interface SiteOptions {
  /** The name of a scripted model, or the demo's. */
  readonly model: string;
  /** The pages that may use the key; the site itself if it is left out. */
  readonly origins?: readonly string[];
  readonly requiresSignIn?: boolean;
  /** Further attributes of the script tag, or others in place of the usual ones. */
  readonly attributes?: string;
}

/** The service, the browser, and what starts sites that embed a chat. */
export function useWidgetStand(variables: Readonly<Record<string, string>> = {}) {
  const stand = useStand(variables);
  return { stand, siteWith: (options: SiteOptions) => siteOf(stand, options) };
}

/** Creates an account with an agent and a key, and a server of another origin whose page embeds the agent's chat. */
async function siteOf(
  stand: Stand,
  { model, origins, requiresSignIn = false, attributes = "" }: SiteOptions,
): Promise<WidgetSite> {
  const account = await stand.signUp();
  const { agent_id: agentId } = await account.call<{ agent_id: string }>("POST", "/agents", {
    agent_name: "Ada",
    agent_architecture: "krishna-memgpt",
    agent_provider: "Demo",
    agent_model: model,
    agent_persona: "A shop's assistant.",
  });

  let tag = "";
  const server = createServer((_request, response) => {
    response.setHeader("content-type", "text/html; charset=utf-8");
    // What the how-to recommends. A page without scripts and styles of its own needs nothing else.
    response.setHeader(
      "content-security-policy",
      `default-src 'none'; script-src ${stand.url}; connect-src ${stand.url}; img-src data:; base-uri 'none'`,
    );
    // An icon of its own keeps the browser from asking for one.
    response.end(
      `<!doctype html><html lang="en"><head><title>Shop</title><link rel="icon" href="data:,"></head><body><main><h1>A shop</h1></main>${tag}</body></html>`,
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  // A server that listens on TCP has an address of this shape.
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  stand.allowOrigin(origin);

  const { public_key: key } = await account.call<{ public_key: string }>(
    "POST",
    `/agents/${agentId}/api-keys`,
    {
      name: "Shop assistant",
      allowed_origins: origins ?? [origin],
      requires_sign_in: requiresSignIn,
    },
  );
  // The first one of two attributes with the same name counts.
  tag = `<script src="${stand.url}/widget.js" ${attributes} data-agent="${agentId}" data-key="${key}"></script>`;
  return {
    origin,
    key,
    agentId,
    account,
    async open(options) {
      const context = await stand.context(options);
      await context.addInitScript(OPEN_ROOTS);
      const page = await context.newPage();
      await page.goto(origin);
      return page;
    },
  };
}

/** The button in the corner. */
export const launcher = (page: Page): Locator => page.locator(".launcher");

/** Opens the chat by its button, and waits until messages can be sent. */
export async function openChat(page: Page): Promise<void> {
  await launcher(page).click();
  await page.getByRole("dialog").waitFor();
}

/** Sends a message as a person does. */
export async function say(page: Page, text: string): Promise<void> {
  const box = page.getByRole("textbox", { name: "Write a message" });
  await box.fill(text);
  await page.locator(".round:enabled").waitFor();
  await box.press("Enter");
}

/** What the visitor has said, and what the agent has, without its greeting. */
export const said = (page: Page): Locator => page.locator('.said[data-by="visitor"]');
export const answers = (page: Page): Locator => page.locator('.said[data-by="agent"]:not(:first-child)');

/** Waits until no answer is being given. */
export const untilAnswered = (page: Page): Promise<void> =>
  page.getByRole("button", { name: "Send" }).waitFor();
