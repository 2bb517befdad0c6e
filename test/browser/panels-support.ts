import type { BrowserContextOptions, Page } from "playwright-core";
import type { Account, Stand } from "./stand.ts";

/** Opens a screen, such as `#/knowledge`, as somebody who has signed in on the page. */
export async function openAs(
  stand: Stand,
  { username, password }: Account,
  hash: string,
  options?: BrowserContextOptions,
): Promise<Page> {
  const page = await stand.open("/", options);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByLabel("Name").fill(username);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("heading", { name: "Agents" }).waitFor();
  await page.goto(`/${hash}`);
  return page;
}

/** An agent with a memory, and a conversation with it. */
export interface Chat {
  readonly agentId: string;
  readonly conversationId: string;
  /** The address of the conversation in the playground. */
  readonly hash: string;
}

/** Creates an agent with a memory that answers with a model of the demo provider, and a conversation with it. */
export async function createChat({ call }: Account, model = "demo"): Promise<Chat> {
  const { agent_id: agentId } = await call<{ agent_id: string }>("POST", "/agents", {
    agent_name: "Ada",
    agent_architecture: "krishna-memgpt",
    agent_provider: "Demo",
    agent_model: model,
    agent_persona: "A friendly assistant",
  });
  const { conversation_id: conversationId } = await call<{ conversation_id: string }>(
    "POST",
    "/conversations",
    {
      title: "Hello",
      agent_id: agentId,
    },
  );
  return { agentId, conversationId, hash: `#/chat/${agentId}/${conversationId}` };
}

/** Sends a message from the chat's page. */
export async function say(page: Page, text: string): Promise<void> {
  await page.getByRole("textbox", { name: /^Message /u }).fill(text);
  await page.getByRole("button", { name: "Send" }).click();
}

/** Shows one of the panels beside the chat. */
export const showPanel = (page: Page, name: string): Promise<void> => page.getByRole("tab", { name }).click();
