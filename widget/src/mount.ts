import { h, render } from "preact";
import markdownStyle from "../../playground/src/chat/markdown.css";
import { Chat } from "./chat.ts";
import type { Options } from "./options.ts";
import { SignIn } from "./sign-in.ts";
import { Store } from "./store.ts";
import { LANGUAGES } from "./texts.ts";
import { Widget } from "./view.tsx";
import { VisitorApi } from "./visitor-api.ts";
import widgetStyle from "./widget.css";

/** What a page can do with the chat. */
export interface AgentChatHandle {
  /** Opens the chat. */
  readonly open: () => void;
  /** Closes the chat. An answer that is being given goes on. */
  readonly close: () => void;
  /** Forgets the visitor and the conversation, for example because somebody has signed out of the page. */
  readonly reset: () => void;
  /** Takes the chat off the page. */
  readonly remove: () => void;
}

/** Events of the keyboard that the page must not see: its shortcuts would take what somebody writes for commands. */
const KEY_EVENTS = ["keydown", "keyup", "keypress"] as const;

/**
 * Adds the chat to the page, in a shadow root that neither styles nor scripts of the page reach by accident. Styles are constructed,
 * so that a page's content security policy need not allow inline ones. `baseUrl` is the origin of the service.
 */
export function mount(baseUrl: string, options: Options): AgentChatHandle {
  const isSigned = options.userToken !== undefined || options.userTokenCallback !== undefined;
  const name = `agent-chat:${baseUrl}:${options.key}`;
  // Somebody who is signed in on the page may share the browser with others: what is kept of them ends with the tab.
  const store = new Store(() => (isSigned ? sessionStorage : localStorage), name);
  /** Whether the chat is open in this tab, which a reload leaves as it is. */
  const tab = new Store(() => sessionStorage, `${name}:open`);
  const api = new VisitorApi({ baseUrl, options, store });
  const chat = new Chat({ api, store, agentId: options.agentId });
  const closing = new AbortController();
  const { signal } = closing;

  const element = document.createElement("agent-chat");
  const root = element.attachShadow({ mode: "closed" });
  root.adoptedStyleSheets = [sheetOf(widgetStyle), sheetOf(markdownStyle)];
  const box = document.createElement("div");
  box.className = "box";
  box.role = "region";
  box.ariaLabel = LANGUAGES[options.language].chat;
  box.lang = options.language;
  box.dataset["position"] = options.position;
  box.style.setProperty("--accent", options.colour.accent);
  box.style.setProperty("--on-accent", options.colour.onAccent);
  for (const type of KEY_EVENTS) box.addEventListener(type, (event) => event.stopPropagation());
  root.append(box);
  document.body.append(element);

  let isOpen = false;
  let takesFocus = true;
  let signInProblem: string | undefined;
  const show = () => {
    if (signal.aborted) return;
    const { state } = chat;
    render(
      h(Widget, {
        chat,
        state,
        options,
        isOpen,
        setOpen,
        takesFocus,
        signIn: (url: string) => signIn.begin(url),
        signInProblem,
      }),
      box,
    );
  };
  const setOpen = (next: boolean, byPerson = true) => {
    // The page may close the chat while somebody is busy elsewhere.
    takesFocus = next ? byPerson : root.activeElement !== null;
    isOpen = next;
    tab.set({ isOpen: next });
    show();
    if (next) void chat.open();
  };
  const signIn = new SignIn({
    baseUrl,
    key: options.key,
    onToken: (token) => {
      signInProblem = undefined;
      void chat.signIn(token);
    },
    onProblem: (sentence) => {
      signInProblem = sentence;
      show();
    },
  });

  const dark = matchMedia("(prefers-color-scheme: dark)");
  const applyTheme = () => {
    box.dataset["theme"] = options.theme === "auto" ? (dark.matches ? "dark" : "light") : options.theme;
  };
  applyTheme();
  dark.addEventListener("change", applyTheme, { signal });
  addEventListener("online", () => void chat.reconnect(), { signal });
  signIn.listen(signal);
  chat.listen(show);
  if (tab.kept.isOpen) setOpen(true, false);
  else show();

  return Object.freeze({
    open: () => setOpen(true),
    close: () => setOpen(false),
    reset: () => {
      chat.forget();
      if (isOpen) void chat.open();
    },
    remove: () => {
      closing.abort();
      render(null, box);
      element.remove();
      globalThis.AgentChat = undefined;
    },
  });
}

function sheetOf(style: string): CSSStyleSheet {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(style);
  return sheet;
}
