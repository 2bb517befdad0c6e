import { expect, it } from "vitest";
import { scriptModel } from "../support/control.ts";
import { createChat, openAs, say, showPanel } from "./panels-support.ts";
import { useStand } from "./stand.ts";

const stand = useStand();

const append = (line: string) => ({
  call: { name: "core_memory_append", arguments: JSON.stringify({ block: "human", content: line }) },
});

it("shows a line that the agent remembers while it still answers, and takes it back on request", async () => {
  const model = await scriptModel(
    [append("Name: Alice")],
    [{ text: "Nice to meet you, " }, { hold: true }, { text: "Alice!" }],
  );
  const account = await stand.signUp();
  const { hash } = await createChat(account, model.name);
  const page = await openAs(stand, account, hash);
  const human = page.getByRole("region", { name: "human" });
  await human.getByText("Nothing here yet.").waitFor();

  await say(page, "My name is Alice.");

  // The model holds its answer, so the line appears before the answer ends.
  await human.locator('li[data-changed="true"]').getByText("Name: Alice").waitFor();
  expect(await page.getByText("Memory block human has changed: 1 line new.").count()).toBe(1);
  expect(await human.getByRole("meter").getAttribute("aria-valuenow")).toBe("2");
  await model.release();
  await page.getByText("Nice to meet you, Alice!").waitFor();

  await human.getByRole("button", { name: "Undo this change" }).click();
  await expect.poll(() => human.locator("li:not([data-removed])").count()).toBe(0);
  expect(await human.locator("del").innerText()).toContain("Name: Alice");
});

it("shows who has changed a block and how, and restores an earlier version", async () => {
  const account = await stand.signUp();
  const { agentId, hash } = await createChat(account);
  const content = `/agents/${agentId}/memory-blocks/human/content`;
  await account.call("PUT", content, { lines: ["Lives in Rome", "Likes tea"] });
  await account.call("PUT", content, { lines: ["Lives in Paris", "Likes tea"] });
  const page = await openAs(stand, account, hash);

  await page.getByRole("button", { name: "History of human" }).click();
  const dialog = page.getByRole("dialog", { name: "History of human" });
  await dialog.locator("del").getByText("Lives in Rome").waitFor();
  expect(await dialog.locator("ins mark").innerText()).toBe("Paris");
  expect(await dialog.locator("del mark").innerText()).toBe("Rome");

  await dialog.getByRole("button", { name: /version 1/u }).click();
  await dialog.getByRole("button", { name: "Restore version 1" }).click();
  await dialog.getByText("Restored · version 3").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("region", { name: "human" }).getByText("Lives in Rome").waitFor();
});

it("does not overwrite what the agent has written while somebody edited the block", async () => {
  stand.allow(/status of 412/u);
  const account = await stand.signUp();
  const { agentId, hash } = await createChat(account);
  const page = await openAs(stand, account, hash);
  const human = page.getByRole("region", { name: "human" });
  await human.getByText("Nothing here yet.").waitFor();
  await page.getByRole("button", { name: "Edit the lines of human" }).click();
  await account.call("PUT", `/agents/${agentId}/memory-blocks/human/content`, { lines: ["Of the agent"] });

  await human.getByRole("textbox", { name: "Lines of human" }).fill("Of mine");
  await human.getByRole("button", { name: "Save lines" }).click();

  await human.getByText("The block has changed since you began.").waitFor();
  await human.getByRole("button", { name: "Replace them with mine" }).click();
  await human.locator("li").getByText("Of mine").waitFor();
  expect(await human.locator("li:not([data-removed])").allTextContents()).toEqual(["New: Of mine"]);
});

it("creates a block, refuses a name at its field, and deletes the block after a question", async () => {
  stand.allow(/status of 422/u);
  const account = await stand.signUp();
  const { hash } = await createChat(account);
  const page = await openAs(stand, account, hash);

  await page.getByRole("button", { name: "New block" }).click();
  const dialog = page.getByRole("dialog", { name: "New memory block" });
  await dialog.getByLabel("Name").fill("Travel plans");
  await dialog.getByLabel("What belongs into it").fill("Where the user wants to go");
  await dialog.getByRole("button", { name: "Create block" }).click();
  await dialog.getByText(/must consist of lower-case letters/u).waitFor();
  expect(await dialog.getByLabel("Name").getAttribute("aria-invalid")).toBe("true");
  await dialog.getByLabel("Name").fill("travel_plans");
  await dialog.getByRole("button", { name: "Create block" }).click();

  const block = page.getByRole("region", { name: "travel_plans" });
  await block.getByText("Where the user wants to go").waitFor();
  await block.getByRole("button", { name: "Delete travel_plans" }).click();
  await page.getByRole("button", { name: "Delete block" }).click();
  await expect.poll(() => block.count()).toBe(0);
});

it("finds archival memories and marks the words that match", async () => {
  const account = await stand.signUp();
  const { agentId, hash } = await createChat(account);
  for (const content of ["Alice has two cats, Tom and Tim.", "The library opens at ten."])
    await account.call("POST", `/agents/${agentId}/archival-memory`, { content });
  const page = await openAs(stand, account, hash);
  await showPanel(page, "Archive");
  await page.getByText("The library opens at ten.").waitFor();

  await page.getByLabel("Search memories").fill("cat");
  await page.keyboard.press("Enter");

  await page.getByText("1 memory found").waitFor();
  expect(await page.locator(".archival-list mark").allInnerTexts()).toEqual(["cats"]);
});

it("adds, edits and deletes an archival memory", async () => {
  const account = await stand.signUp();
  const { agentId, hash } = await createChat(account);
  const page = await openAs(stand, account, hash);
  await showPanel(page, "Archive");
  await page.getByText("The archive is empty").waitFor();

  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByRole("dialog").getByLabel("Text").fill("Alice plays the cello.");
  await page.getByRole("dialog").getByRole("button", { name: "Store memory" }).click();
  await page.locator(".archival-item").getByText("Alice plays the cello.").waitFor();

  await page.getByRole("button", { name: /^Edit the memory/u }).click();
  await page.getByRole("dialog").getByLabel("Text").fill("Alice plays the viola.");
  await page.getByRole("button", { name: "Save memory" }).click();
  await page.locator(".archival-item").getByText("Alice plays the viola.").waitFor();

  await page.getByRole("button", { name: /^Delete the memory/u }).click();
  await page.getByRole("button", { name: "Delete memory" }).click();
  await page.getByText("The archive is empty").waitFor();
  const { items } = await account.call<{ items: unknown[] }>("GET", `/agents/${agentId}/archival-memory`);
  expect(items).toEqual([]);
});

it("shows what the model would read next, and reads it again after an answer", async () => {
  const model = await scriptModel([{ text: "Good morning." }]);
  const account = await stand.signUp();
  const { hash } = await createChat(account, model.name);
  const page = await openAs(stand, account, hash);
  await showPanel(page, "Context");
  await page
    .getByRole("button", { name: /^Instructions/u })
    .first()
    .waitFor();
  expect(await page.getByRole("button", { name: /^Messages/u }).count()).toBe(0);

  await say(page, "Hello there.");
  await page.locator(".context-row").filter({ hasText: "Messages" }).click();

  expect(await page.locator(".context-texts").innerText()).toContain("Hello there.");
  await page.getByText("Nothing: the model reads the whole conversation").waitFor();
});
