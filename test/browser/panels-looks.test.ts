import { expect, it } from "vitest";
import { violationsIn } from "./accessibility.ts";
import { createChat, openAs, showPanel } from "./panels-support.ts";
import { useStand } from "./stand.ts";

const stand = useStand();

/** A name that cannot be broken between words. */
const LONG_WORD = "Averylongname".repeat(6);

/** The page, and the parts that scroll, as far as they scroll sideways. */
const WIDER_THAN_THEIR_PLACE = `[document.documentElement, ...document.querySelectorAll(".main, .tabs-list, .tabs-panel")]
  .filter((part) => part.scrollWidth > part.clientWidth)
  .map((part) => (part.className || part.tagName) + " " + part.scrollWidth + " > " + part.clientWidth)`;

const THEMES = ["light", "dark"] as const;
const WIDTHS = [
  { name: "a phone", width: 390, height: 844 },
  { name: "a tablet", width: 900, height: 1100 },
  { name: "a large screen", width: 1440, height: 900 },
] as const;

for (const colorScheme of THEMES)
  for (const { name, width, height } of WIDTHS)
    it(`every panel can be used by everybody on ${name} in the ${colorScheme} theme`, async () => {
      const account = await stand.signUp();
      const { agentId, hash } = await createChat(account);
      const { kb_id: kbId } = await account.call<{ kb_id: string }>("POST", "/knowledge-bases", {
        name: LONG_WORD,
      });
      await account.call("PUT", `/agents/${agentId}/memory-blocks/human/content`, {
        lines: ["Lives in Rome"],
      });
      await account.call("POST", `/agents/${agentId}/memory-blocks`, {
        name: "long",
        description: LONG_WORD,
      });
      await account.call("POST", `/agents/${agentId}/archival-memory`, { content: "Alice has two cats." });
      await account.call("POST", "/api-keys", { name: "Back end", scopes: ["memory:read"] });
      const page = await openAs(stand, account, hash, {
        viewport: { width, height },
        colorScheme,
        reducedMotion: "reduce",
      });
      const check = async () => {
        await expect.poll(() => page.locator(".skeleton").count()).toBe(0);
        expect(await violationsIn(page)).toEqual([]);
        expect(await page.evaluate(WIDER_THAN_THEIR_PLACE)).toEqual([]);
      };

      for (const panel of ["Memory", "Archive", "Context", "Knowledge"]) {
        await openPanels(page);
        await showPanel(page, panel);
        await check();
      }
      await showPanel(page, "Memory");
      await page.getByRole("button", { name: "History of human" }).click();
      await check();
      await page.keyboard.press("Escape");
      for (const screen of ["knowledge", `knowledge/${kbId}`, "providers", "usage", "keys", "account"]) {
        await page.goto(`/#/${screen}`);
        await page.getByRole("heading", { level: 1 }).waitFor();
        await check();
      }
      await page.getByRole("button", { name: "Delete account" }).click();
      await check();
    });

/** On a small screen, the panels are behind a button. */
async function openPanels(page: Awaited<ReturnType<typeof openAs>>): Promise<void> {
  const tab = page.getByRole("tab", { name: "Memory" });
  const button = page.getByRole("button", { name: "Memory and context" });
  // Until one of them is shown, the list of agents may still be there.
  await tab.or(button).first().waitFor();
  if (await tab.isVisible()) return;
  await button.click();
  await tab.waitFor();
}
