import { expect, it } from "vitest";
import { violationsIn } from "./accessibility.ts";
import { createChat, openAs } from "./panels-support.ts";
import { useStand } from "./stand.ts";

const stand = useStand();

it("an agent's publishable keys can be created, copied as HTML, disabled and deleted beside its settings", async () => {
  const account = await stand.signUp();
  const { agentId } = await createChat(account);
  const keys = () =>
    account.call<readonly { public_key: string; allowed_origins: readonly string[]; is_active: boolean }[]>(
      "GET",
      `/agents/${agentId}/api-keys`,
    );
  const page = await openAs(stand, account, `#/agents/${agentId}/edit`, { reducedMotion: "reduce" });

  const section = page.getByRole("region", { name: "Embed" });
  await section.getByRole("button", { name: "New publishable key" }).click();
  await section.getByLabel("Name").fill("Shop");
  await section.getByLabel("Allowed pages").fill("https://shop.example.com\nhttps://www.example.com");
  await section.getByRole("button", { name: "Create the key" }).click();
  const card = section.getByRole("article", { name: "Shop" });
  await card.waitFor();

  const [key] = await keys();
  expect(key?.allowed_origins).toEqual(["https://shop.example.com", "https://www.example.com"]);
  expect(await card.locator("code").innerText()).toBe(
    `<script src="${stand.url}/widget.js" data-agent="${agentId}" data-key="${key?.public_key}" defer></script>`,
  );
  expect(await violationsIn(page)).toEqual([]);

  await card.getByRole("button", { name: "Disable Shop" }).click();
  await card.getByText("Disabled", { exact: true }).waitFor();
  expect((await keys())[0]?.is_active).toBe(false);
  await card.getByRole("button", { name: "Delete Shop" }).click();
  await page.getByRole("button", { name: "Delete key" }).click();
  await card.waitFor({ state: "detached" });
  expect(await keys()).toEqual([]);
});

it("an agent's publishable key keeps its value when its pages and its name change", async () => {
  const account = await stand.signUp();
  const { agentId } = await createChat(account);
  const path = `/agents/${agentId}/api-keys`;
  const origins = ["https://shop.example.com"];
  const before = await account.call<{ public_key: string }>("POST", path, {
    name: "Shop",
    allowed_origins: origins,
  });
  const page = await openAs(stand, account, `#/agents/${agentId}/edit`, { reducedMotion: "reduce" });
  const section = page.getByRole("region", { name: "Embed" });

  await section.getByRole("button", { name: "Change Shop" }).click();
  const form = section.getByRole("form", { name: "Change Shop" });
  expect(await form.getByLabel("Allowed pages").inputValue()).toBe("https://shop.example.com");
  expect(await violationsIn(page)).toEqual([]);
  await form.getByRole("button", { name: "Cancel" }).click();
  await section.getByRole("button", { name: "Change Shop" }).click();
  await form.getByLabel("Name").fill("Blog");
  await form.getByLabel("Allowed pages").fill("https://shop.example.com\nhttps://blog.example.com");
  await form.getByRole("button", { name: "Save the key" }).click();

  await section.getByRole("article", { name: "Blog" }).waitFor();
  expect(await account.call("GET", path)).toMatchObject([
    {
      name: "Blog",
      allowed_origins: ["https://shop.example.com", "https://blog.example.com"],
      public_key: before.public_key,
    },
  ]);
});

it("shows at the form of a publishable key what is wrong with it", async () => {
  stand.allow(/status of 422/u);
  const account = await stand.signUp();
  const { agentId } = await createChat(account);
  const page = await openAs(stand, account, `#/agents/${agentId}/edit`);

  const section = page.getByRole("region", { name: "Embed" });
  await section.getByRole("button", { name: "New publishable key" }).click();
  await section.getByLabel("Name").fill("Shop");
  await section.getByLabel("Allowed pages").fill("shop.example.com");
  await section.getByRole("button", { name: "Create the key" }).click();

  await section.getByRole("alert").first().waitFor();
  expect(await section.getByRole("alert").first().innerText()).toContain("allowed_origins");
});
