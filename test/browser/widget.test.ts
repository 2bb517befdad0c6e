import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { violationsIn } from "./accessibility.ts";
import { answers, launcher, openChat, said, say, untilAnswered, useWidgetStand } from "./widget-site.ts";
import { scriptModel } from "../support/control.ts";

const { stand, siteWith } = useWidgetStand();

/** Text that tries to run something, to load something, and to leave a fence open. */
const HOSTILE = [
  "<script>document.title = 'owned'</script>",
  "![x](https://evil.example/leak.png)",
  "[y](javascript:document.title='owned') <img src=x onerror=\"document.title='owned'\">",
  "```",
  "never closed",
].join("\n\n");

it("answers in pieces on a page of another origin with a strict policy, and asks for nothing before it is opened", async () => {
  const model = await scriptModel([{ text: "One, " }, { hold: true }, { text: "**two**." }]);
  const site = await siteWith({ model: model.name });
  const asked: string[] = [];
  const page = await site.open();
  page.on("request", (request) => asked.push(request.url()));
  await launcher(page).waitFor();
  expect(asked).toEqual([]);

  await openChat(page);
  await page.getByRole("dialog", { name: "Shop assistant" }).getByText("How can I help you today?").waitFor();
  await say(page, "Count");
  await answers(page).getByText("One,").waitFor();
  await page.locator(".typing").waitFor();
  expect(await page.getByRole("status").innerText()).toBe("Writing an answer…");
  await model.release();

  await answers(page).locator("strong").getByText("two").waitFor();
  await untilAnswered(page);
  expect(await said(page).allInnerTexts()).toEqual([expect.stringContaining("Count")]);
  expect(await answers(page).allInnerTexts()).toEqual(["One, two."]);
  await expect.poll(() => page.getByRole("status").innerText()).toBe("One, two.");
});

it("goes on with an answer after a reload in the middle of it, once", async () => {
  const model = await scriptModel(
    [{ text: "One, " }, { hold: true }, { text: "two." }],
    [{ text: "Three." }],
  );
  const site = await siteWith({ model: model.name });
  const page = await site.open();
  await openChat(page);
  await say(page, "Count");
  await answers(page).getByText("One,").waitFor();

  await page.reload();
  await answers(page).getByText("One,").waitFor();
  await page.getByRole("button", { name: "Stop the answer" }).waitFor();
  await model.release();
  await answers(page).getByText("One, two.").waitFor();
  await untilAnswered(page);
  await say(page, "And then?");
  await answers(page).getByText("Three.").waitFor();
  await untilAnswered(page);
  await page.reload();
  await answers(page).getByText("Three.").waitFor();

  expect(await said(page).allInnerTexts()).toEqual([
    expect.stringContaining("Count"),
    expect.stringContaining("And then?"),
  ]);
  expect(await answers(page).allInnerTexts()).toEqual(["One, two.", "Three."]);
});

it.each([
  ["has received it", true],
  ["could receive it", false],
])("sends a message once if the page is reloaded before the service %s", async (_case, isDelivered) => {
  const model = await scriptModel([{ text: "Once." }], [{ text: "Twice!" }]);
  const site = await siteWith({ model: model.name });
  const page = await site.open();
  await openChat(page);
  let isReloaded = false;
  const { promise: isSent, resolve: sent } = Promise.withResolvers<void>();
  await page.route("**/messages", async (route) => {
    const request = route.request();
    if (request.method() !== "POST" || isReloaded) return route.fallback();
    // The page never hears of it: the request ends with the page.
    const init = { method: "POST", headers: await request.allHeaders(), body: request.postData() };
    if (isDelivered) await (await fetch(request.url(), init)).text();
    sent();
  });

  await say(page, "Hello");
  await isSent;
  isReloaded = true;
  await page.reload();
  await answers(page).getByText("Once.").waitFor();
  await untilAnswered(page);

  expect(await said(page).count()).toBe(1);
  expect(await answers(page).allInnerTexts()).toEqual(["Once."]);
});

it("goes on after a lost connection, and shows each piece once", async () => {
  const model = await scriptModel([{ text: "One, " }, { hold: true }, { text: "two." }]);
  const site = await siteWith({ model: model.name });
  const page = await site.open();
  await openChat(page);
  await page.route("**/messages", async (route) => {
    const sent = route.request();
    if (sent.method() !== "POST") return route.fallback();
    const init = { method: "POST", headers: await sent.allHeaders(), body: sent.postData() };
    const stream = (await fetch(sent.url(), init)).body?.pipeThrough(new TextDecoderStream());
    let body = "";
    for await (const piece of stream ?? []) {
      body += piece;
      if (body.includes("One,")) break;
    }
    // The page gets the beginning of the stream. Then its connection ends.
    const headers = { "access-control-allow-origin": site.origin };
    await route.fulfill({ contentType: "text/event-stream", headers, body });
  });
  const resumed = page.waitForRequest(/\/runs\/[^/]+\/events\?after=[1-9]/u);

  await say(page, "Count");
  await resumed;
  await model.release();

  await answers(page).getByText("One, two.").waitFor();
  await untilAnswered(page);
  expect(await answers(page).count()).toBe(1);
  expect(await said(page).count()).toBe(1);
});

it("says that a message was not sent while the browser is offline, and sends it once it is online", async () => {
  stand.allow(/ERR_INTERNET_DISCONNECTED/u);
  const model = await scriptModel([{ text: "Here I am." }]);
  const site = await siteWith({ model: model.name });
  const page = await site.open();
  await openChat(page);
  await page.locator(".round").waitFor();
  await page.getByRole("textbox").fill("Are you there?");
  await page.locator(".round:enabled").waitFor();

  await page.context().setOffline(true);
  await page.getByRole("textbox").press("Enter");
  await page.getByRole("alert").getByText("Not sent. The chat can’t be reached").waitFor();
  await page.context().setOffline(false);

  await answers(page).getByText("Here I am.").waitFor();
  expect(await said(page).count()).toBe(1);
});

it("stops an answer, keeps what was said, and takes the next message", async () => {
  const model = await scriptModel([{ text: "Begun" }, { hold: true }], [{ text: "Again." }]);
  const site = await siteWith({ model: model.name });
  const page = await site.open();
  await openChat(page);

  await say(page, "Begin");
  await answers(page).getByText("Begun").waitFor();
  await page.getByRole("button", { name: "Stop the answer" }).click();
  await page.getByText("Stopped.").waitFor();
  await say(page, "And now?");

  await answers(page).getByText("Again.").waitFor();
  expect(await answers(page).first().innerText()).toBe("Begun");
});

for (const { until, address } of [
  { until: "the visitor is known", address: "**/widget/visitors" },
  { until: "there is a conversation", address: "**/widget/conversations" },
  { until: "the message is sent", address: "**/messages" },
])
  it(`stops an answer that is asked for before ${until}, as soon as it begins`, async () => {
    const model = await scriptModel([{ text: "Begun" }, { hold: true }, { text: ", and never stopped." }]);
    const site = await siteWith({ model: model.name });
    const page = await site.open();
    await openChat(page);
    const held = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    await page.route(address, async (route) => {
      if (route.request().method() === "POST") {
        asked.resolve();
        await held.promise;
      }
      await route.continue();
    });

    await say(page, "Begin");
    await asked.promise;
    await page.getByRole("button", { name: "Stop the answer" }).click();
    held.resolve();

    await page.getByText("Stopped.").waitFor();
    expect(await said(page).count()).toBe(1);
  });

it("shows a sentence if the page's origin may not use the key", async () => {
  stand.allow(/status of 403/u);
  const site = await siteWith({ model: "demo", origins: ["https://shop.example.com"] });
  const page = await site.open();

  await openChat(page);

  await page
    .getByRole("alert")
    .getByText(`Origin '${site.origin}' is not allowed for this API key`)
    .waitFor();
  expect(await page.getByRole("button", { name: "Send" }).isDisabled()).toBe(true);
});

it.each([
  ["the key belongs to another agent", 'data-agent="another"', false, "belongs to another agent"],
  ["visitors must sign in, and can't", "", true, "signing in is not set up"],
])("says so if %s", async (_case, attributes, requiresSignIn, sentence) => {
  const site = await siteWith({ model: "demo", attributes, requiresSignIn });
  const page = await site.open();

  await openChat(page);

  const chat = page.getByRole("dialog");
  await expect.poll(() => chat.innerText()).toContain(sentence);
  expect(await chat.locator(".round:enabled, .sign-in").count()).toBe(0);
});

it("shows its texts in the language of its tag, and what the tag says in place of them", async () => {
  const attributes = 'data-language="de" data-title="Fragen?" data-greeting="Hallo aus dem *Laden*!"';
  const page = await (await siteWith({ model: "demo", attributes })).open();

  await page.getByRole("button", { name: "Chat öffnen" }).click();

  const chat = page.getByRole("dialog", { name: "Fragen?" });
  await chat.locator("em").getByText("Laden").waitFor();
  await expect.poll(() => chat.getByRole("textbox").getAttribute("placeholder")).toBe("Nachricht schreiben");
});

it("loads earlier messages on request", async () => {
  const model = await scriptModel([{ text: "The newest." }]);
  const site = await siteWith({ model: model.name });
  const page = await site.open();
  await openChat(page);
  await say(page, "Hello");
  await answers(page).getByText("The newest.").waitFor();
  await untilAnswered(page);
  // A conversation with more messages than a page of them would take long to have.
  await page.route("**/messages?*", async (route) => {
    const isFirst = !route.request().url().includes("cursor=older");
    const response = await route.fetch();
    if (isFirst)
      return route.fulfill({ response, headers: { ...response.headers(), "next-cursor": "older" } });
    const json = [{ message_id: "m", role: "assistant", content: "The oldest.", created_at: "" }];
    const headers = { "access-control-allow-origin": site.origin };
    await route.fulfill({ json, headers });
  });
  await page.reload();

  await page.getByRole("button", { name: "Show earlier messages" }).click();

  await page.getByText("The oldest.").waitFor();
  expect(await page.locator(".said").allInnerTexts()).toEqual([
    "Hello! How can I help you today?",
    "The oldest.",
    expect.stringContaining("Hello"),
    "The newest.",
  ]);
});

it("shows the service's sentence if a message is refused, and sends it again on request", async () => {
  stand.allow(/status of (?:403|401)/u);
  const model = await scriptModel([{ text: "Welcome back." }]);
  const site = await siteWith({ model: model.name });
  const [key] = await site.account.call<readonly { key_id: string }[]>(
    "GET",
    `/agents/${site.agentId}/api-keys`,
  );
  const setActive = (isActive: boolean) =>
    site.account.call("PATCH", `/agents/${site.agentId}/api-keys/${key?.key_id}`, { is_active: isActive });
  const page = await site.open();
  await openChat(page);
  await page.getByRole("textbox").fill("Hello");
  await page.locator(".round:enabled").waitFor();

  await setActive(false);
  await page.getByRole("textbox").press("Enter");
  await page.getByRole("alert").getByText("Not sent. API key is disabled").waitFor();
  await setActive(true);
  await page.getByRole("button", { name: "Try again" }).click();

  await answers(page).getByText("Welcome back.").waitFor();
  expect(await said(page).count()).toBe(1);
});

it("shows hostile Markdown harmlessly", async () => {
  const model = await scriptModel([{ text: HOSTILE }]);
  const site = await siteWith({ model: model.name });
  const page = await site.open();
  await openChat(page);

  await say(page, "<img src=x onerror=\"document.title='owned'\">");
  await answers(page).getByText("never closed").waitFor();
  await untilAnswered(page);

  // The stand fails the test if anything was requested from elsewhere, or violated the policy.
  expect(await page.title()).toBe("Shop");
  expect(await page.locator(".box").locator("img, iframe, script").count()).toBe(0);
  expect(await answers(page).innerText()).toContain("<script>document.title = 'owned'</script>");
  const links = await answers(page).locator("a").all();
  expect(await Promise.all(links.map((link) => link.getAttribute("href")))).toEqual([
    "https://evil.example/leak.png",
  ]);
});

it("can be used with the keyboard only, and keeps the page's shortcuts out of what is written", async () => {
  const model = await scriptModel([{ text: "Hello." }]);
  const site = await siteWith({ model: model.name });
  const page = await site.open();
  await page.evaluate(`addEventListener("keydown", ({ key }) => { document.title += key; })`);

  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  await page.locator("textarea:focus").waitFor();
  await page.keyboard.type("First");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("Second");
  await page.locator(".round:enabled").waitFor();
  await page.keyboard.press("Enter");
  await answers(page).getByText("Hello.").waitFor();
  expect(await said(page).innerText()).toContain("First\nSecond");
  await page.keyboard.press("Escape");

  await page.locator(".launcher:focus").waitFor();
  expect(await page.getByRole("dialog").count()).toBe(0);
  // The key that led to the chat was pressed on the page.
  expect(await page.title()).toBe("ShopTab");
});

it("shows at its button that an answer has come while it was closed", async () => {
  const model = await scriptModel([{ text: "One, " }, { hold: true }, { text: "two." }]);
  const site = await siteWith({ model: model.name });
  const page = await site.open();
  await openChat(page);
  await say(page, "Count");
  await answers(page).getByText("One,").waitFor();

  await page.keyboard.press("Escape");
  await model.release();
  await page.getByRole("button", { name: "Open the chat: there is an answer" }).click();

  await answers(page).getByText("One, two.").waitFor();
  await page.getByRole("button", { name: "Close the chat" }).first().click();
  await expect.poll(() => launcher(page).getAttribute("aria-label")).toBe("Open the chat");
});

it("leaves the focus where it is when the page closes the chat while somebody is busy elsewhere", async () => {
  const site = await siteWith({ model: "demo" });
  const page = await site.open();
  await openChat(page);
  await page.locator("textarea:focus").waitFor();

  await page.evaluate(`{
    const main = document.querySelector("main");
    main.tabIndex = -1;
    main.focus();
    AgentChat.close();
  }`);
  await page.getByRole("dialog").waitFor({ state: "detached" });
  // What is left to do after the chat was closed is done before it is rendered again.
  await page.evaluate("AgentChat.close()");

  expect(await page.evaluate("document.activeElement.localName")).toBe("main");
});

it("adds one element and one global to the page, even if it is loaded twice", async () => {
  const site = await siteWith({ model: "demo" });
  const before = await (await site.open()).evaluate<string[]>("Object.keys(globalThis)");
  expect(before).toContain("AgentChat");
  const page = await site.open();

  expect(await page.evaluate("requestedMode")).toBe("closed");
  expect(await page.evaluate("document.styleSheets.length + document.adoptedStyleSheets.length")).toBe(0);
  await page.evaluate(`document.head.append(Object.assign(document.createElement("script"), {
    src: document.querySelector("script").src, onload: () => { document.title = "again"; },
  }))`);
  await expect.poll(() => page.title()).toBe("again");
  expect(await page.locator("agent-chat").count()).toBe(1);

  await page.evaluate("AgentChat.open()");
  await page.getByRole("dialog").waitFor();
  await page.evaluate("AgentChat.close()");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.evaluate("AgentChat.remove()");
  expect(await page.locator("agent-chat").count()).toBe(0);
});

it("says in the console what is missing in its tag, and shows nothing", async () => {
  stand.allow(/The chat widget: data-key is missing/u, /The chat widget: data-position must be one of/u);
  const site = await siteWith({ model: "demo" });
  const page = await site.open();
  await page.evaluate("AgentChat.remove()");

  await page.evaluate(`document.head.append(Object.assign(document.createElement("script"), {
    src: document.querySelector("script").src, onload: () => { document.title = "loaded"; },
  }))`);
  await expect.poll(() => page.title()).toBe("loaded");
  expect(await page.locator("agent-chat").count()).toBe(0);
  await page.evaluate(`{
    const script = Object.assign(document.createElement("script"), { src: document.querySelector("script").src });
    Object.assign(script.dataset, { key: ${JSON.stringify(site.key)}, position: "above" });
    document.head.append(script);
  }`);
  await launcher(page).waitFor();
  const complaints: string[] = [];
  await expect
    .poll(() => {
      complaints.push(...stand.takeFaults());
      return complaints.join("\n");
    })
    .toContain('data-position must be one of right, left, not "above".');
  expect(complaints.join("\n")).toContain("data-key is missing");
});

/** A page on which Alice has sent one message, which was answered. The next answer is `next`. */
async function chatWithAlice(next: string): Promise<Page> {
  const model = await scriptModel([{ text: "Noted." }], [{ text: next }]);
  const site = await siteWith({ model: model.name });
  const page = await site.open();
  await openChat(page);
  await say(page, "I am Alice.");
  await answers(page).getByText("Noted.").waitFor();
  await untilAnswered(page);
  return page;
}

it("forgets the visitor when the page asks for it, and begins anew on request", async () => {
  const page = await chatWithAlice("Hello again.");
  expect(await page.evaluate("JSON.stringify(localStorage)")).toContain("conversationId");

  await page.getByRole("button", { name: "Start a new chat" }).click();
  expect(await said(page).count()).toBe(0);
  await say(page, "Hello");
  await answers(page).getByText("Hello again.").waitFor();
  await untilAnswered(page);
  await page.evaluate("AgentChat.reset()");

  await expect.poll(() => said(page).count()).toBe(0);
  expect(await page.evaluate("localStorage.length")).toBe(0);
});

it("shows nothing of a visitor who is forgotten while the chat is being loaded", async () => {
  const page = await chatWithAlice("Hello, Bob.");
  const asked = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const delivered = Promise.withResolvers<void>();
  await page.route("**/messages?*", async (route) => {
    const response = await route.fetch();
    asked.resolve();
    await released.promise;
    await route.fulfill({ response });
    delivered.resolve();
  });
  await page.reload();
  await asked.promise;

  await page.evaluate("AgentChat.reset()");
  released.resolve();
  await delivered.promise;
  await say(page, "I am Bob.");
  await answers(page).getByText("Hello, Bob.").waitFor();

  expect(await said(page).allInnerTexts()).toEqual([expect.stringContaining("I am Bob.")]);
  expect(await answers(page).count()).toBe(1);
});

it.each([
  ["can be renewed no more", 0],
  ["is refused", Number.MAX_SAFE_INTEGER],
])("begins as a new visitor if the token that was kept %s", async (_case, renewAt) => {
  stand.allow(/status of (?:401|404)/u);
  const model = await scriptModel([{ text: "Hello, stranger." }]);
  const site = await siteWith({ model: model.name });
  const page = await site.open();
  const name = `agent-chat:${stand.url}:${site.key}`;
  const kept = JSON.stringify({ token: "old", renewAt, conversationId: crypto.randomUUID() });
  await page.evaluate(`localStorage.setItem(${JSON.stringify(name)}, ${JSON.stringify(kept)})`);

  await openChat(page);
  await say(page, "Do you know me?");

  await answers(page).getByText("Hello, stranger.").waitFor();
  expect(await page.evaluate("JSON.stringify(localStorage)")).not.toContain('"old');
});

it("works without storage, until the page is left", async () => {
  const model = await scriptModel([{ text: "Hello." }], [{ text: "Again." }]);
  const site = await siteWith({ model: model.name });
  const page = await site.open();
  await page.evaluate(`for (const name of ["localStorage", "sessionStorage"])
    Object.defineProperty(globalThis, name, { get() { throw new DOMException("Denied", "SecurityError"); } })`);
  await openChat(page);

  await say(page, "One");
  await answers(page).getByText("Hello.").waitFor();
  await untilAnswered(page);
  await say(page, "Two");
  await answers(page).getByText("Again.").waitFor();

  expect(JSON.stringify((await model.log()).requests.at(-1))).toContain("One");
});

it("chats in the name of a person whom the page's back end has signed in", async () => {
  const model = await scriptModel([{ text: "Hello, Alice." }]);
  const site = await siteWith({
    model: model.name,
    attributes: 'data-user-token-callback="chatToken"',
  });
  await site.account.call("PATCH", `/agents/${site.agentId}`, { allowed_origins: [site.origin] });
  const { token } = await site.account.call<{ token: string }>(
    "POST",
    `/agents/${site.agentId}/client-tokens`,
    {
      end_user_id: "customer-17",
      origins: [site.origin],
    },
  );
  const page = await site.open();
  await page.evaluate(`globalThis.chatToken = async () => ${JSON.stringify(token)}`);
  await openChat(page);

  await say(page, "Who am I?");
  await answers(page).getByText("Hello, Alice.").waitFor();

  const people = await site.account.call<{ items: readonly { end_user_id: string }[] }>(
    "GET",
    `/agents/${site.agentId}/end-users`,
  );
  expect(people.items.map(({ end_user_id: id }) => id)).toEqual(["customer-17"]);
  // Whoever uses the browser next does not find it.
  expect(await page.evaluate("localStorage.length")).toBe(0);
});

const LOOKS = [
  { width: 390, height: 780, colorScheme: "light", colour: "#ffd400" },
  { width: 390, height: 780, colorScheme: "dark", colour: "#0a6b52" },
  { width: 900, height: 900, colorScheme: "dark", colour: "#4f46e5" },
  { width: 1360, height: 820, colorScheme: "light", colour: "#888888" },
] as const;

it.each(LOOKS)(
  "can be used by everybody at $width pixels in the $colorScheme theme with the colour $colour",
  async ({ width, height, colorScheme, colour }) => {
    const text =
      "# Found\n\n- one\n- [two](https://example.com)\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```js\nlet a;\n```";
    const model = await scriptModel([{ text }], [{ text: "One" }, { hold: true }]);
    const site = await siteWith({
      model: model.name,
      attributes: `data-colour="${colour}" data-theme="${colorScheme}"`,
    });
    const page = await site.open({ viewport: { width, height }, reducedMotion: "reduce" });
    const check = async () => expect(await violationsIn(page)).toEqual([]);
    await launcher(page).waitFor();
    await check();

    await openChat(page);
    await check();
    await say(page, "Show everything");
    await answers(page).getByText("let a;").waitFor();
    await untilAnswered(page);
    await check();
    await say(page, "And more");
    await answers(page).getByText("One", { exact: true }).waitFor();
    await check();
    await page.getByRole("textbox").fill("x".repeat(10_001));
    await page.getByRole("alert").getByText("this one has 10,001").waitFor();
    await check();
    expect(await page.getByRole("log").evaluate((log) => log.scrollWidth > log.clientWidth)).toBe(false);

    // On a phone, the chat fills the screen, and nothing beside it can be used.
    const isModal = await page.getByRole("dialog").evaluate((dialog) => dialog.matches(":modal"));
    expect(isModal).toBe(width < 480);
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
  },
);
