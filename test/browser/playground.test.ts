import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { violationsIn } from "./accessibility.ts";
import { type Account, useStand } from "./stand.ts";
import { scriptModel } from "../support/control.ts";

const stand = useStand();

const PHONE = { viewport: { width: 390, height: 800 } };

/** Signs in through the page, as a person does. */
async function signInAs({ username, password }: Account, path = "/", options = {}): Promise<Page> {
  const page = await stand.open(path, options);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByLabel("Name").fill(username);
  await page.getByLabel("Password").fill(password);
  await page.locator("form").getByRole("button", { name: "Sign in", exact: true }).click();
  await page.locator("#main").waitFor();
  return page;
}

/** Creates an agent that a script answers for. */
async function agentOf(account: Account, model: string): Promise<string> {
  const { agent_id: id } = await account.call<{ agent_id: string }>("POST", "/agents", {
    agent_name: "Ada",
    agent_architecture: "krishna-memgpt",
    agent_provider: "Demo",
    agent_model: model,
    agent_persona: "You are Ada.",
  });
  return id;
}

const answers = (page: Page) => page.getByRole("article", { name: "Ada says" });
const questions = (page: Page) => page.getByRole("article", { name: "You say" });
const send = async (page: Page, text: string) => {
  await page.getByRole("textbox", { name: "Message Ada" }).fill(text);
  await page.getByRole("textbox", { name: "Message Ada" }).press("Enter");
};

it("leads somebody from signing up over an agent to its first answer, and through a reload", async () => {
  const page = await stand.open("/");
  await page.getByLabel("Name").fill(`user-${crypto.randomUUID().slice(0, 8)}`);
  await page.getByLabel("Password").fill("a-password-of-tests");
  await page.getByRole("button", { name: "Create the account" }).click();

  await page.getByRole("heading", { name: "Create your first agent" }).waitFor();
  await page.getByRole("link", { name: "New agent" }).click();
  await page.getByLabel("Agent Name").fill("Ada");
  await page.getByLabel("Persona").fill("A friendly assistant.");
  await page.getByLabel("Architecture").selectOption("krishna-memgpt");
  await page.getByLabel("Provider Name").selectOption("Demo");
  await page.getByRole("button", { name: "Create the agent" }).click();

  await page.getByRole("heading", { name: "Ada", level: 1 }).waitFor();
  await send(page, "My name is Alice and I work at Google.");
  await page.getByRole("button", { name: "Copy the answer" }).waitFor();
  expect(await answers(page).count()).toBe(1);
  const said = await answers(page).locator(".markdown").allInnerTexts();

  await page.reload();
  await page.getByRole("button", { name: "Copy the answer" }).waitFor();
  expect(await questions(page).allInnerTexts()).toEqual([expect.stringContaining("I work at Google.")]);
  expect(await answers(page).locator(".markdown").allInnerTexts()).toEqual(said);
});

it("marks what is wrong at its field, and sends nothing", async () => {
  const page = await signInAs(await stand.signUp(), "/#/agents/new");
  await page.getByText("More settings").click();
  await page.getByLabel("Temperature").fill("hot");
  await page.getByRole("button", { name: "Create the agent" }).click();

  const name = page.getByLabel("Agent Name");
  expect(await name.getAttribute("aria-invalid")).toBe("true");
  await expect.poll(() => page.evaluate("document.activeElement.id")).toBe(await name.getAttribute("id"));
  expect(await page.getByRole("alert").allInnerTexts()).toEqual(
    expect.arrayContaining(["Agent Name is required.", "Temperature must be a number."]),
  );
});

it("shows the sentence of the service at the field that it is about", async () => {
  const account = await stand.signUp();
  const id = await agentOf(account, "demo");
  stand.allow(/status of 422/u);
  const page = await signInAs(account, `/#/agents/${id}/edit`);

  await page.getByText("More settings").click();
  await page.getByLabel("Longest Answer (tokens)").fill("7");
  await page.getByText("More settings").click();
  await page.route("**/agents/*", async (route) => {
    if (route.request().method() !== "PATCH") return route.fallback();
    const body = JSON.parse(route.request().postData() ?? "{}") as object;
    await route.continue({ postData: JSON.stringify({ ...body, max_output_tokens: "0" }) });
  });
  await page.getByRole("button", { name: "Save" }).click();

  const field = page.getByLabel("Longest Answer (tokens)");
  await expect.poll(() => field.getAttribute("aria-invalid")).toBe("true");
  // It was folded when the answer came.
  await field.waitFor();
});

it("goes on with an answer after a reload in the middle of it, once", async () => {
  const account = await stand.signUp();
  const model = await scriptModel([{ text: "One, " }, { hold: true }, { text: "two." }]);
  const page = await signInAs(account, `/#/chat/${await agentOf(account, model.name)}`);

  await send(page, "Count");
  await answers(page).getByText("One,").waitFor();
  await page.reload();
  await answers(page).getByText("One,").waitFor();
  await page.getByRole("button", { name: "Stop the answer" }).waitFor();
  await model.release();

  await answers(page).getByText("One, two.").waitFor();
  expect(await questions(page).allInnerTexts()).toEqual(
    ["Count"].map((text) => expect.stringContaining(text)),
  );
  expect(await answers(page).count()).toBe(1);
});

it("reconnects after the connection was lost, and shows each piece once", async () => {
  const account = await stand.signUp();
  const model = await scriptModel([{ text: "One, " }, { hold: true }, { text: "two." }]);
  const page = await signInAs(account, `/#/chat/${await agentOf(account, model.name)}`);
  await page.route("**/send-message*", async (route) => {
    const sent = route.request();
    const { authorization = "", "content-type": type = "" } = await sent.allHeaders();
    const init = { method: "POST", headers: { authorization, "content-type": type }, body: sent.postData() };
    const stream = (await fetch(sent.url(), init)).body?.pipeThrough(new TextDecoderStream());
    let body = "";
    for await (const piece of stream ?? []) {
      body += piece;
      if (body.includes("One,")) break;
    }
    // The page gets the beginning of the stream. Then its connection ends.
    await route.fulfill({ contentType: "text/event-stream", body });
  });
  const resumed = page.waitForRequest(/\/runs\/[^/]+\/events\?after=[1-9]/u);

  await send(page, "Count");
  await resumed;
  await model.release();

  await answers(page).getByText("One, two.").waitFor();
  expect(await answers(page).count()).toBe(1);
  expect(await questions(page).count()).toBe(1);
});

it("stops an answer, keeps what was said, and takes the next message", async () => {
  const account = await stand.signUp();
  const model = await scriptModel([{ text: "Begun" }, { hold: true }], [{ text: "Again." }]);
  const page = await signInAs(account, `/#/chat/${await agentOf(account, model.name)}`);

  await send(page, "Begin");
  await answers(page).getByText("Begun").waitFor();
  await page.getByRole("button", { name: "Stop the answer" }).click();
  await answers(page).getByText("stopped").waitFor();
  await send(page, "And now?");

  await answers(page).getByText("Again.").waitFor();
  expect(await answers(page).first().innerText()).toContain("Begun");
});

it("has the last answer written again, in place of the former one, and keeps that one if it is stopped", async () => {
  const account = await stand.signUp();
  const model = await scriptModel(
    [{ text: "A leaf." }],
    [{ text: "A dr" }, { hold: true }, { text: "ink." }],
    [{ text: "A hab" }, { hold: "never released" }],
  );
  const page = await signInAs(account, `/#/chat/${await agentOf(account, model.name)}`);
  const again = page.getByRole("button", { name: "Write the answer again" });
  await send(page, "What is tea?");
  await answers(page).getByText("A leaf.").waitFor();

  await again.click();
  await answers(page).getByText("A dr").waitFor();
  const meanwhile = await answers(page).count();
  await model.release();
  await answers(page).getByText("A drink.").waitFor();
  await again.click();
  await answers(page).getByText("A hab").waitFor();
  await page.getByRole("button", { name: "Stop the answer" }).click();
  await answers(page).getByText("stopped").waitFor();
  await page.reload();
  await again.waitFor();

  expect(meanwhile).toBe(1);
  expect(await questions(page).count()).toBe(1);
  expect(await answers(page).locator(".markdown").allInnerTexts()).toEqual(["A drink."]);
});

it("shows hostile Markdown harmlessly", async () => {
  const account = await stand.signUp();
  const text = [
    "<script>document.title = 'owned'</script>",
    "![x](https://evil.example/leak.png)",
    "[y](javascript:document.title='owned') <img src=x onerror=\"document.title='owned'\">",
    "```",
    "never closed",
  ].join("\n\n");
  const model = await scriptModel([{ text }]);
  const page = await signInAs(account, `/#/chat/${await agentOf(account, model.name)}`);

  await send(page, "Show me");
  await page.getByRole("button", { name: "Copy the answer" }).waitFor();

  // The stand fails the test if anything was requested from elsewhere, or violated the policy.
  expect(await page.title()).toBe("Ada · Dynamic Agent Builder");
  expect(await page.locator(".thread img, .thread script, .thread iframe").count()).toBe(0);
  expect(await answers(page).innerText()).toContain("<script>document.title = 'owned'</script>");
  const links = await answers(page).locator("a").all();
  expect(await Promise.all(links.map((link) => link.getAttribute("href")))).toEqual([
    "https://evil.example/leak.png",
  ]);
});

it("attaches text files that are dropped, and says which it cannot take", async () => {
  const account = await stand.signUp();
  const model = await scriptModel([{ text: "Read." }]);
  const page = await signInAs(account, `/#/chat/${await agentOf(account, model.name)}`);
  await page.getByRole("textbox", { name: "Message Ada" }).waitFor();

  await page.evaluate(`{
    const data = new DataTransfer();
    data.items.add(new File(["the notes"], "notes.txt"));
    data.items.add(new File([new Uint8Array([0, 255, 254])], "photo.png"));
    document.querySelector(".thread").dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
  }`);
  await page.getByRole("list", { name: "Attached files" }).getByText("notes.txt").waitFor();
  expect(await page.getByRole("alert").innerText()).toBe("photo.png is not a text file.");
  await send(page, "What is in it?");

  await answers(page).getByText("Read.").waitFor();
  expect(await questions(page).innerText()).toContain("notes.txt");
  expect(JSON.stringify(await model.log())).toContain("the notes");
});

it("works on a phone: the navigation, the conversations and the panels open above the chat", async () => {
  const account = await stand.signUp();
  const id = await agentOf(account, "demo");
  const page = await signInAs(account, `/#/chat/${id}`, PHONE);

  await page.getByRole("button", { name: "Navigation" }).click();
  await page.getByRole("link", { name: "Agents", exact: true }).click();
  await page.getByRole("heading", { name: "Agents", level: 1 }).waitFor();
  await page.getByRole("link", { name: "Ada" }).click();
  await page.getByRole("button", { name: "Memory and context" }).click();
  await page.getByRole("tab", { name: "Memory" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Conversations" }).click();
  await page.getByRole("link", { name: "New conversation" }).waitFor();
  expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
});

it("receives people whom the issuer sends back: signed in, or with the reason why not", async () => {
  const page = await signInAs(await stand.signUp());
  // As after a first sign-in at the issuer: there is a cookie, and nothing else.
  await page.evaluate("localStorage.clear()");
  await page.goto("/login-success");

  await page.locator("#main").waitFor();
  expect(new URL(page.url()).pathname).toBe("/");
  const refused = await stand.open("/login?error=email_not_verified");
  await refused.getByText("Your e-mail address is not verified there.").waitFor();
  expect(new URL(refused.url()).pathname).toBe("/");
});

it("signs out everywhere on the page, and a reload stays signed out", async () => {
  const page = await signInAs(await stand.signUp());

  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("button", { name: "Create the account" }).waitFor();
  await page.reload();

  await page.getByRole("button", { name: "Create the account" }).waitFor();
  expect(await page.getByRole("navigation", { name: "Main" }).count()).toBe(0);
});

it("shows nothing of the person who signed out to the one who signs in next", async () => {
  const first = await stand.signUp();
  const id = await agentOf(first, "demo");
  const second = await stand.signUp();
  const page = await signInAs(first, `/#/chat/${id}`);
  await page.getByRole("heading", { name: "Ada", level: 1 }).waitFor();
  stand.allow(/status of 404/u);

  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByLabel("Name").fill(second.username);
  await page.getByLabel("Password").fill(second.password);
  await page.locator("form").getByRole("button", { name: "Sign in", exact: true }).click();

  // The address is still that of the first one's agent.
  await page.getByRole("alert").waitFor();
  expect(await page.getByText("Ada", { exact: true }).count()).toBe(0);
  await page.getByRole("link", { name: "Agents", exact: true }).click();
  await page.getByRole("heading", { name: "Create your first agent" }).waitFor();
});

it("stays signed out when a new token arrives that was asked for before", async () => {
  stand.allow(/status of 401/u);
  const page = await signInAs(await stand.signUp());
  await page.getByRole("heading", { name: "Create your first agent" }).waitFor();
  const asked = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  const steps: string[] = [];
  await page.route("**/auth/refresh", async (route) => {
    const response = await route.fetch();
    asked.resolve();
    await held.promise;
    steps.push("new token");
    await route.fulfill({ response });
  });
  await page.route("**/api-keys*", (route) => route.fulfill({ status: 401, json: {} }));
  const ended = page.waitForResponse("**/auth/logout");
  page.on("request", (request) => request.url().endsWith("/auth/logout") && steps.push("sign-out"));
  await page.getByRole("link", { name: "API keys" }).click();
  await asked.promise;

  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("button", { name: "Create the account" }).waitFor();
  held.resolve();
  await ended;

  // The answer with the token sets the cookie, which the sign-out has to delete after that.
  expect(steps).toEqual(["new token", "sign-out"]);
  expect(await page.getByRole("navigation", { name: "Main" }).count()).toBe(0);
  await page.reload();

  await page.getByRole("button", { name: "Create the account" }).waitFor();
  expect(await page.evaluate("localStorage.getItem('signed-in')")).toBeNull();
});

it.each(["light", "dark"] as const)("has no barrier on any screen, in the %s theme", async (colorScheme) => {
  const account = await stand.signUp();
  const model = await scriptModel([
    {
      text: "# Hello\n\n- *one* `two`\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```js\nlet x;\n```\n\n> [link](https://example.com)",
    },
  ]);
  const id = await agentOf(account, model.name);
  const options = { colorScheme, reducedMotion: "reduce" } as const;
  const signedOut = await stand.open("/", options);
  await signedOut.getByRole("button", { name: "Create the account" }).waitFor();
  expect(await violationsIn(signedOut)).toEqual([]);

  const page = await signInAs(account, "/", options);
  await page.getByRole("link", { name: "Ada" }).waitFor();
  expect(await violationsIn(page)).toEqual([]);

  await page.goto("/#/agents/new");
  await page.getByRole("button", { name: "Create the agent" }).click();
  await page.getByText("Agent Name is required.").waitFor();
  expect(await violationsIn(page)).toEqual([]);

  await page.goto(`/#/chat/${id}`);
  await send(page, "Hello");
  await page.getByRole("button", { name: "Copy the answer" }).waitFor();
  expect(await violationsIn(page)).toEqual([]);

  await page.getByRole("button", { name: "Actions for Hello" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByRole("dialog").waitFor();
  expect(await violationsIn(page)).toEqual([]);
});
