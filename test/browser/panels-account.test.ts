import { readFile } from "node:fs/promises";
import { expect, inject, it } from "vitest";
import { AgentBuilder } from "../../client/src/index.ts";
import { createChat, openAs } from "./panels-support.ts";
import { useStand } from "./stand.ts";

// Nobody is exempt from the limits of the free plan.
const stand = useStand({ SUPERUSER_EMAILS: "" });

it("says in the dialog that the plan allows no more memory blocks", async () => {
  stand.allow(/status of 429/u);
  const account = await stand.signUp();
  const { agentId, hash } = await createChat(account);
  for (let count = 0; count < 5; count += 1)
    await account.call("POST", `/agents/${agentId}/memory-blocks`, {
      name: `block_${count}`,
      description: "One of five",
    });
  const page = await openAs(stand, account, hash);

  await page.getByRole("button", { name: "New block" }).click();
  const dialog = page.getByRole("dialog", { name: "New memory block" });
  await dialog.getByLabel("Name").fill("one_more");
  await dialog.getByLabel("What belongs into it").fill("One too many");
  await dialog.getByRole("button", { name: "Create block" }).click();

  const problem = dialog.getByRole("alert");
  await problem.waitFor();
  expect(await problem.innerText()).toMatch(/limit|plan/iu);
});

it("shows the plan's limits, and tokens as a chart and as a table", async () => {
  const account = await stand.signUp();
  const { agentId, conversationId } = await createChat(account);
  const client = new AgentBuilder({ baseUrl: stand.url, token: account.token });
  await client.agents(agentId).send(conversationId, "Hello").text();
  const page = await openAs(stand, account, "#/usage");

  await page.getByText("1 of 100").waitFor();
  await page.getByRole("img", { name: /^Tokens by day: .* 1 answer$/u }).waitFor();
  await page.getByText("Show as a table").click();
  expect(await page.locator(".usage-chart tbody tr").count()).toBe(1);
  await page.getByRole("tab", { name: "By agent" }).click();
  await page.locator(".usage-bar-label").getByText("Ada").waitFor();
});

it("shows a new key once, and revokes it after a question", async () => {
  const account = await stand.signUp();
  const page = await openAs(stand, account, "#/keys");

  await page.getByRole("button", { name: "New key" }).click();
  await page.getByRole("dialog").getByLabel("Name").fill("Back end");
  await page.getByRole("button", { name: "Create key" }).click();
  const secret = await page.locator(".key-secret code").innerText();
  expect(secret).toMatch(/^dab_/u);
  await page.getByRole("button", { name: "I have stored it" }).click();

  await page.locator(".key-row strong").getByText("Back end").waitFor();
  expect(await page.locator("body").innerHTML()).not.toContain(secret);
  await page.getByRole("button", { name: "Revoke Back end" }).click();
  await page.getByRole("button", { name: "Revoke key" }).click();
  await page.getByText("Revoked", { exact: true }).waitFor();
});

it("stores the credentials of a provider, and says whether they work", async () => {
  const account = await stand.signUp();
  const page = await openAs(stand, account, "#/providers");

  await page.getByRole("button", { name: "Connect OpenAI-Compatible" }).click();
  const dialog = page.getByRole("dialog", { name: "OpenAI-Compatible" });
  await dialog.getByRole("textbox", { name: "Base URL" }).fill(inject("model"));
  await dialog.getByRole("button", { name: "Save and test" }).click();

  await expect.poll(() => page.locator('.provider-trial[data-ok="true"]').count()).toBe(1);
});

it("says at the field what is missing in the credentials of a provider", async () => {
  const account = await stand.signUp();
  const page = await openAs(stand, account, "#/providers");

  await page.getByRole("button", { name: "Connect OpenAI", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Save and test" }).click();

  await expect.poll(() => page.getByRole("dialog").locator("input[aria-invalid]").count()).toBe(1);
});

it("saves everything as a file, and deletes the account once its address is typed", async () => {
  const account = await stand.signUp();
  await createChat(account);
  const page = await openAs(stand, account, "#/account");

  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Export everything" }).click(),
  ]);
  const lines = (await readFile(await download.path(), "utf8")).trim().split("\n");
  expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({ type: "end" });
  expect(lines.some((line) => line.includes('"type":"agent"'))).toBe(true);

  await page.getByRole("button", { name: "Delete account" }).click();
  const dialog = page.getByRole("dialog", { name: "Delete the account?" });
  const confirm = dialog.getByRole("button", { name: "Delete everything" });
  expect(await confirm.isDisabled()).toBe(true);
  const label = await dialog.locator("label").innerText();
  await dialog.getByRole("textbox").fill(label.replace(/^Type (.*) to confirm$/u, "$1"));
  await confirm.click();

  await page.getByText("Your account is closed.").waitFor();
});
