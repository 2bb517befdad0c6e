import { mount } from "./mount.ts";
import { readOptions } from "./options.ts";

/** What pages may call: `AgentChat.open()`. */
declare global {
  var AgentChat: ReturnType<typeof mount> | undefined;
}

start(document.currentScript);

function start(script: HTMLOrSVGScriptElement | null): void {
  if (!(script instanceof HTMLScriptElement))
    return complain("load the script with a script tag of its own, and not as a module.");
  // A page that loads the script twice has one chat.
  if (globalThis.AgentChat) return;
  const { options, problems } = readOptions(
    script.dataset,
    document.documentElement.lang || navigator.language,
  );
  for (const problem of problems) complain(problem);
  if (!options) return;
  const baseUrl = new URL(script.src).origin;
  if (document.body) globalThis.AgentChat = mount(baseUrl, options);
  else
    document.addEventListener("DOMContentLoaded", () => {
      globalThis.AgentChat = mount(baseUrl, options);
    });
}

/** Tells the page's developer. Visitors see no chat. */
function complain(problem: string): void {
  console.error(`The chat widget: ${problem}`);
}
