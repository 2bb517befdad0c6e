import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { build } from "esbuild";
import type { Page } from "playwright-core";
import { beforeAll, expect, it, onTestFinished } from "vitest";
import { scriptModel } from "../support/control.ts";
import type { ScriptStep } from "../support/control-protocol.ts";
import { useStand } from "./stand.ts";

const stand = useStand();

const EXAMPLE = join(import.meta.dirname, "../../examples/ai-sdk");

/** A page whose tool is run by a person: it shows the question of a call, and the button is the result. */
const ASKING_PAGE = `
  import { useChat } from "@ai-sdk/react";
  import { DefaultChatTransport, lastAssistantMessageIsCompleteWithToolCalls } from "ai";
  import { createElement as h } from "react";
  const tools = { ask_user: { description: "Asks the user.", inputSchema: { type: "object" } } };
  function Chat({ api, agentId, chatId, token }) {
    const { messages, sendMessage, addToolOutput } = useChat({
      id: chatId,
      resume: true,
      transport: new DefaultChatTransport({
        api: api + "/agents/" + agentId + "/chat",
        headers: { Authorization: "Bearer " + token },
        body: { tools },
      }),
      sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithToolCalls,
    });
    const answer = (toolCallId, output) => () => addToolOutput({ tool: "ask_user", toolCallId, output });
    return h("main", null,
      messages.map(({ id, role, parts }) => h("article", { key: id }, h("strong", null, role),
        parts.map((part, index) =>
          part.type === "text" ? h("p", { key: index }, part.text)
          : part.type !== "tool-ask_user" ? null
          : part.state === "input-available"
            ? h("button", { key: index, onClick: answer(part.toolCallId, { choice: "mint" }) }, part.input.question)
            : h("small", { key: index }, JSON.stringify(part.output))))),
      h("button", { onClick: () => void sendMessage({ text: "Order tea" }) }, "Order"));
  }`;

/** The example's page, and the page above, with the current `@ai-sdk/react`. */
const PAGES = { example: "", asking: "" };

beforeAll(async () => {
  PAGES.example = await bundleOf('import { Chat } from "./chat.tsx";');
  PAGES.asking = await bundleOf(ASKING_PAGE);
});

/** Returns the script of a page. `chat` is the code that brings the component `Chat`. */
async function bundleOf(chat: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: {
      contents: `${chat}
        import { createElement } from "react";
        import { createRoot } from "react-dom/client";
        const place = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
        createRoot(document.getElementById("root")).render(createElement(Chat, place));`,
      resolveDir: EXAMPLE,
    },
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    jsx: "automatic",
    define: { "process.env.NODE_ENV": '"production"' },
  });
  return outputFiles[0]?.text ?? "";
}

/** Serves a page from an origin of its own, and returns the origin. */
async function servePage(script: string): Promise<string> {
  const html =
    '<!doctype html><title>All about tea</title><link rel="icon" href="data:,"><div id="root"></div><script type="module" src="/page.js"></script>';
  const server = createServer(({ url }, response) => {
    const isScript = url === "/page.js";
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
    response.end(isScript ? script : html);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => new Promise<void>((resolve) => void server.close(() => resolve())));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Opens the example's page as an end user of an agent that a script answers for. */
const chatWith = (...replies: readonly (readonly ScriptStep[])[]) => chatIn(PAGES.example, ...replies);

async function chatIn(script: string, ...replies: readonly (readonly ScriptStep[])[]) {
  const account = await stand.signUp();
  const model = await scriptModel(...replies);
  const origin = await servePage(script);
  stand.allowOrigin(origin);
  const { agent_id: agentId } = await account.call<{ agent_id: string }>("POST", "/agents", {
    agent_name: "Ada",
    agent_architecture: "krishna-memgpt",
    agent_provider: "Demo",
    agent_model: model.name,
    agent_persona: "You are Ada.",
    allowed_origins: [origin],
  });
  const { token } = await account.call<{ token: string }>("POST", `/agents/${agentId}/client-tokens`, {
    end_user_id: "visitor-1",
    origins: [origin],
  });
  const place = new URLSearchParams({ api: stand.url, agentId, chatId: "chat-1", token });
  const page = await stand.open(`${origin}/#${place}`);
  return { page, model, account, agentId };
}

const say = async (page: Page, text: string) => {
  await page.getByLabel("Message").fill(text);
  await page.getByRole("button", { name: "Send" }).click();
};
const shown = (page: Page) => page.locator("article").allInnerTexts();
/** The page shows a part per line, below the role. */
const lines = async (page: Page) => (await shown(page)).map((text) => text.split(/\s*\n\s*/u));
const again = (page: Page) => page.getByRole("button", { name: "Write the answer again" });

const append: ScriptStep = {
  call: { name: "core_memory_append", arguments: JSON.stringify({ block: "human", content: "Name: Alice" }) },
};

it("streams text, the parts of tools and our own parts to a page of another origin", async () => {
  const { page, model } = await chatWith(
    [{ text: "One moment." }, append],
    [{ text: "Hello, " }, { hold: true }, { text: "Alice." }],
  );

  await say(page, "I am Alice");
  await page.getByText("Hello,").waitFor();
  const meanwhile = await lines(page);
  await model.release();
  await page.getByText("Hello, Alice.").waitFor();
  await again(page).waitFor();

  expect(meanwhile[0]).toEqual(["user", "I am Alice"]);
  expect((await lines(page))[1]?.join(" ")).toMatch(
    /^assistant One moment\. core_memory_append ?The agent has remembered something\. Hello, Alice\.$/u,
  );
});

it("stops an answer by the ids of its run", async () => {
  const { page, model } = await chatWith([{ text: "One " }, { hold: true }, { text: "two." }]);

  await say(page, "Count");
  await page.getByText("One").waitFor();
  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByRole("button", { name: "Send" }).waitFor();

  await expect.poll(async () => (await model.log()).disconnects).toBe(1);
  expect((await lines(page))[1]).toEqual(["assistant", "One"]);
});

it("goes on with an answer after a reload in the middle of it", async () => {
  const { page, model } = await chatWith([{ text: "One " }, { hold: true }, { text: "two." }]);

  await say(page, "Count");
  await page.getByText("One").waitFor();
  await page.reload();
  await page.getByText("One").waitFor();
  await model.release();

  await page.getByText("One two.").waitFor();
  await again(page).waitFor();
  expect(await shown(page)).toHaveLength(1);
});

it("has an answer written again, in place of the former one, and a failed message tried again", async () => {
  const { page, account, agentId } = await chatWith(
    [{ text: "A leaf." }],
    [{ text: "A drink." }],
    [{ status: 401, body: { error: { message: "no" } } }],
    [{ text: "Green." }],
  );

  await say(page, "What is tea?");
  await page.getByText("A leaf.").waitFor();
  await again(page).click();
  await page.getByText("A drink.").waitFor();
  await say(page, "Which colour?");
  await page.getByRole("alert").waitFor();
  await again(page).click();
  await page.getByText("Green.").waitFor();
  await again(page).waitFor();

  expect((await lines(page)).map((parts) => parts[1])).toEqual([
    "What is tea?",
    "A drink.",
    "Which colour?",
    "Green.",
  ]);
  const place = `/agents/${agentId}/end-users/visitor-1/conversations`;
  const { items } = await account.call<{ items: { conversation_id: string }[] }>("GET", place);
  const stored = await account.call<{ items: { content: string }[] }>(
    "GET",
    `${place}/${items[0]?.conversation_id}/messages`,
  );
  expect(stored.items.map(({ content }) => content)).toEqual([
    "Green.",
    "Which colour?",
    "A drink.",
    "What is tea?",
  ]);
});

it("runs a tool in the page when the agent calls it, and shows the answer in the same message", async () => {
  const { page, model } = await chatWith(
    [{ text: "Let me look." }, { call: { id: "c1", name: "read_page_title", arguments: "{}" } }],
    [{ text: "It is all about tea." }],
    [{ text: "Bye." }],
  );

  await say(page, "What is this page about?");
  await page.getByText("It is all about tea.").waitFor();
  await say(page, "Thanks");
  await page.getByText("Bye.").waitFor();

  expect((await lines(page)).map((parts) => parts.filter((text) => text !== ""))).toEqual([
    ["user", "What is this page about?"],
    ["assistant", "Let me look.", "The agent has read the title of the page.", "It is all about tea."],
    ["user", "Thanks"],
    ["assistant", "Bye."],
  ]);
  const requests = (await model.log()).requests.map(({ body }) => JSON.stringify(body));
  expect(requests).toHaveLength(3);
  expect(requests[1]).toContain("All about tea");
});

it("shows a call that a person answers, also after a reload, and goes on with the answer", async () => {
  const ask = { id: "c1", name: "ask_user", arguments: JSON.stringify({ question: "Which kind?" }) };
  const { page, model } = await chatIn(PAGES.asking, [{ call: ask }], [{ text: "Mint tea it is." }]);

  await page.getByRole("button", { name: "Order" }).click();
  await page.getByRole("button", { name: "Which kind?" }).waitFor();
  await page.reload();
  await page.getByRole("button", { name: "Which kind?" }).click();
  await page.getByText("Mint tea it is.").waitFor();

  expect(await shown(page)).toHaveLength(1);
  expect(await page.locator("small").allInnerTexts()).toEqual(['{"choice":"mint"}']);
  const { requests } = await model.log();
  expect(requests).toHaveLength(2);
  expect(JSON.stringify(requests[1])).toContain("mint");
});
