import { expect, it } from "vitest";
import { violationsIn } from "./accessibility.ts";
import { useStand } from "./stand.ts";

const stand = useStand();

/** The sections in the order of a reader's interest. */
const SECTIONS = [
  "Chat",
  "Memory",
  "Agents",
  "Conversations",
  "Knowledge",
  "Widget",
  "Account",
  "Webhooks",
  "Plans",
  "Administration",
];

it("shows every section to people who are not signed in and scroll down", async () => {
  const page = await stand.open("/docs");
  await page.getByText("Send a message and stream the answer").waitFor();

  // Swagger UI renders the operations near the part of the page that is in view, and no others.
  const seen = new Set<string>();
  const scroll = async (): Promise<readonly string[]> => {
    // The name alone: while the page is being laid out, no line break separates it from the description beside it.
    for (const name of await page.locator(".opblock-tag > a").allInnerTexts()) seen.add(name.trim());
    await page.mouse.wheel(0, 400);
    return [...seen];
  };
  await expect.poll(scroll).toEqual(SECTIONS);
});

it("opens the operation that its address names", async () => {
  const page = await stand.open("/docs#/Agents/createAgent");

  await page.locator("#operations-Agents-createAgent .opblock-body").waitFor();
  expect(await page.locator("#operations-Agents-createAgent .opblock-body").innerText()).toContain(
    "agent_name",
  );
});

it("tries an operation with the token that was typed in, and forgets it when the page is closed", async () => {
  const { token, username } = await stand.signUp();
  const page = await stand.open("/docs#/Account/getMe");
  const operation = page.locator("#operations-Account-getMe");

  await page.getByLabel("Token", { exact: true }).fill(`Bearer ${token}`);
  await page.getByRole("button", { name: "Use it" }).click();
  await operation.getByRole("button", { name: "Try it out" }).click();
  await operation.getByRole("button", { name: "Execute" }).click();

  await expect.poll(() => operation.locator(".live-responses-table").innerText()).toContain(username);
  expect(
    await page.evaluate("JSON.stringify([localStorage.length, sessionStorage.length, document.cookie])"),
  ).toBe('[0,0,""]');

  await page.getByLabel("Token", { exact: true }).fill("");
  await page.getByRole("button", { name: "Use it" }).click();
  await page.getByText("Requests are sent without a token.").waitFor();

  await page.reload();
  expect(await page.getByLabel("Token", { exact: true }).inputValue()).toBe("");
});

it("says where to sign in if somebody who is not signed in wants to use their sign-in", async () => {
  stand.allow(/status of 401/u);
  const page = await stand.open("/docs");
  await page.locator("#operations-tag-Chat").waitFor();

  await page.getByRole("button", { name: "Use my sign-in" }).click();

  await expect
    .poll(() => page.getByRole("status").innerText())
    .toBe("You are not signed in. Sign in on the start page, then come back.");
});

it("leads to the text if the description can't be loaded", async () => {
  stand.allow(/Failed to load resource/u);
  const context = await stand.context();
  await context.route("**/openapi.json", (route) => route.abort());
  const page = await context.newPage();
  await page.goto("/docs");

  await page.getByText("The description could not be loaded.").waitFor();
  expect(await page.getByRole("link", { name: "the reference as text" }).getAttribute("href")).toBe(
    "/docs.md",
  );
});

it("shows an operation on a phone, in the dark, and without anything wider than the screen", async () => {
  const page = await stand.open("/docs#/Agents/createAgent", {
    viewport: { width: 390, height: 844 },
    colorScheme: "dark",
    reducedMotion: "reduce",
  });
  await page.locator("#operations-tag-Agents").waitFor();
  await page.locator("#operations-Agents-createAgent .opblock-body").waitFor();

  expect(await page.evaluate(WIDER_THAN_THE_SCREEN)).toEqual([]);
  expect(await page.evaluate("document.documentElement.classList.contains('dark-mode')")).toBe(true);
});

/** Elements that end behind the right edge of the screen and cannot be scrolled to within their own place; none if the page fits. */
const WIDER_THAN_THE_SCREEN = `document.documentElement.scrollWidth <= innerWidth ? [] :
  [...document.querySelectorAll("#reference *")]
    .filter((element) => element.getBoundingClientRect().right > innerWidth)
    .map((element) => element.tagName + "." + element.className + " " + element.getBoundingClientRect().right)`;

/**
 * Swagger UI nests a link in the button that opens an operation, leaves a level of headings out, and has only the operations in its
 * main part.
 */
const OF_SWAGGER_UI = ["nested-interactive", "heading-order", "region"];

it.each(["light", "dark"] as const)(
  "has no barrier in the %s theme, with an operation open",
  async (colorScheme) => {
    const page = await stand.open("/docs#/Agents/createAgent", { colorScheme, reducedMotion: "reduce" });
    await page.locator("#operations-Agents-createAgent .opblock-body").waitFor();

    expect(await violationsIn(page, OF_SWAGGER_UI)).toEqual([]);
  },
);
