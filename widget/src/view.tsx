import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { ConnectionError } from "../../client/src/errors.ts";
import { parseMarkdown } from "../../playground/src/chat/markdown-blocks.ts";
import { markdownElements } from "../../playground/src/chat/markdown-elements.tsx";
import { parseInline, plainText } from "../../playground/src/chat/markdown-inline.ts";
import { type Chat, type ChatState, messagesBeside } from "./chat.ts";
import type { Options } from "./options.ts";
import { LANGUAGES, type Texts } from "./texts.ts";
import type { Turn } from "./turn.ts";

/** The most characters that the service takes in a message. */
const LONGEST_MESSAGE = 10_000;
/** From here to the end of the messages, somebody reads the newest ones, in pixels. */
const NEAR_THE_END = 80;
/** As wide as a phone, at most: the chat fills the screen. */
const PHONE = "(max-width: 480px)";

export interface WidgetProps {
  readonly chat: Chat;
  readonly state: ChatState;
  readonly options: Options;
  readonly isOpen: boolean;
  readonly setOpen: (isOpen: boolean) => void;
  /** Whether the focus moves into the chat when it opens, and to its button when it closes. */
  readonly takesFocus: boolean;
  /** Opens the window for signing in. Returns false if the browser has blocked it. */
  readonly signIn: (url: string) => boolean;
  /** What went wrong while signing in. */
  readonly signInProblem: string | undefined;
}

/** The button that opens the chat, and the chat. */
export function Widget(props: WidgetProps) {
  const { state, options, isOpen, setOpen, takesFocus } = props;
  const texts = LANGUAGES[options.language];
  const launcher = useRef<HTMLButtonElement>(null);
  const wasOpen = useRef(false);
  const [isUnread, setUnread] = useState(false);
  const end = state.turn?.end;
  useEffect(() => {
    // Where the focus was before the chat was opened.
    if (wasOpen.current && !isOpen && takesFocus) launcher.current?.focus();
    wasOpen.current = isOpen;
    if (isOpen) setUnread(false);
  }, [isOpen]);
  useEffect(() => {
    if (end !== undefined && !isOpen) setUnread(true);
  }, [end]);
  return (
    <>
      <button
        ref={launcher}
        type="button"
        class="launcher"
        aria-label={isOpen ? texts.close : isUnread ? texts.openUnread : texts.open}
        aria-haspopup="dialog"
        aria-expanded={isOpen}
        data-unread={isUnread || undefined}
        onClick={() => setOpen(!isOpen)}
      >
        <Icon d={isOpen ? "m6 9.5 6 6 6-6" : "M4 5h16v11H9.5L5 20v-4H4V5Z"} size={26} />
      </button>
      {isOpen && <Panel {...props} texts={texts} />}
    </>
  );
}

/** Reads an answer to people who do not see it: once, when it is complete, and not in pieces. */
function Announcement({ turn, texts }: { readonly turn: Turn | undefined; readonly texts: Texts }) {
  return (
    <p class="hidden" role="status">
      {turn && (turn.end ? plainText(parseInline(turn.text)) : texts.writing)}
    </p>
  );
}

/** The chat: fills the screen of a phone, where nothing beside it can be used, and stands beside the page elsewhere. */
function Panel(props: WidgetProps & { readonly texts: Texts }) {
  const { chat, state, options, setOpen, takesFocus, texts } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const title = options.title ?? state.config?.agent_name ?? texts.chat;
  useEffect(() => {
    const phone = matchMedia(PHONE);
    const show = () => {
      const { current } = dialog;
      if (!current) return;
      current.close();
      if (phone.matches) current.showModal();
      // By the attribute: `show` would move the focus, also where a page is loaded with the chat open.
      else current.open = true;
    };
    show();
    // On a phone, the keyboard would hide the chat.
    if (takesFocus && !phone.matches)
      dialog.current?.querySelector<HTMLElement>("textarea, .sign-in")?.focus();
    phone.addEventListener("change", show);
    return () => phone.removeEventListener("change", show);
  }, []);
  return (
    <dialog
      ref={dialog}
      class="panel"
      aria-label={title}
      onCancel={(event) => {
        event.preventDefault();
        setOpen(false);
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape" && !event.isComposing) setOpen(false);
      }}
    >
      <div class="head">
        <h2>{title}</h2>
        {(state.messages.length > 0 || state.turn) && (
          <IconButton label={texts.newChat} d="M12 5v14M5 12h14" onClick={() => chat.startAnew()} />
        )}
        <IconButton label={texts.close} d="M6 6l12 12M18 6 6 18" onClick={() => setOpen(false)} />
      </div>
      <Messages {...props} />
      <Announcement turn={state.turn} texts={texts} />
      {state.needsSignIn ? <SignInCard {...props} /> : <Composer {...props} />}
    </dialog>
  );
}

function Messages({ chat, state, options, texts }: WidgetProps & { readonly texts: Texts }) {
  const { messages, turn, earlier, isLoading, error } = state;
  const list = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  const [earlierError, setEarlierError] = useState<unknown>();
  useLayoutEffect(() => {
    isAtEnd.current = true;
  }, [turn?.question]);
  useLayoutEffect(() => {
    if (list.current && isAtEnd.current) list.current.scrollTop = list.current.scrollHeight;
  }, [messages, turn, error]);
  const { end } = turn ?? {};
  return (
    <div
      ref={list}
      class="messages"
      role="log"
      aria-live="off"
      aria-label={texts.messages}
      tabIndex={0}
      onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
        isAtEnd.current = scrollHeight - scrollTop - clientHeight < NEAR_THE_END;
      }}
    >
      {earlier !== undefined && (
        <button
          type="button"
          class="quiet"
          disabled={isLoading}
          onClick={() => void chat.loadEarlier().then(() => setEarlierError(undefined), setEarlierError)}
        >
          {texts.earlier}
        </button>
      )}
      {earlierError !== undefined && <Problem error={earlierError} texts={texts} />}
      {earlier === undefined && (
        <Said by="agent">
          <Markdown text={options.greeting ?? texts.greeting} />
        </Said>
      )}
      {messagesBeside(messages, turn).map(({ message_id: id, role, content, isUnsent }) =>
        role === "user" ? (
          <Said key={id} by="visitor" name={texts.you}>
            {content}
            {isUnsent && <em class="note">{texts.notSent}</em>}
          </Said>
        ) : (
          <Said key={id} by="agent">
            <Markdown text={content} />
          </Said>
        ),
      )}
      {turn?.question && (
        <Said by="visitor" name={texts.you}>
          {turn.question.content}
        </Said>
      )}
      {turn && turn.text !== "" && (
        <Said by="agent">
          <Markdown text={turn.text} />
        </Said>
      )}
      {turn && !end && !state.isLost && (
        <div class="typing" aria-hidden="true">
          <i />
          <i />
          <i />
        </div>
      )}
      {state.isLost && <p class="note">{texts.lost}</p>}
      {end?.kind === "stopped" && <p class="note">{texts.stopped}</p>}
      {end?.kind === "waiting" && <p class="note">{texts.waiting}</p>}
      {end?.kind === "failed" && <Problem error={end.error} texts={texts} />}
      {end?.kind === "unsent" && !state.needsSignIn && (
        <Problem error={end.error} texts={texts} before={texts.notSent} retry={() => chat.retry()} />
      )}
      {end?.kind === "lost" && (
        <Problem error={undefined} texts={texts} before={texts.gone} retry={() => chat.retry()} />
      )}
      {isLoading && <p class="note">{texts.loading}</p>}
      {error !== undefined && <Problem error={error} texts={texts} retry={() => chat.open()} />}
    </div>
  );
}

interface SaidProps {
  readonly by: "agent" | "visitor";
  readonly name?: string;
  readonly children: ComponentChildren;
}

/** What somebody has said. */
const Said = ({ by, name, children }: SaidProps) => (
  <div class="said" data-by={by} dir="auto">
    {name !== undefined && <span class="hidden">{name}: </span>}
    {children}
  </div>
);

/** While an answer arrives, the messages before it are not rendered again: an element that is the same one is left as it is. */
const Markdown = ({ text }: { readonly text: string }) =>
  useMemo(() => <div class="markdown">{markdownElements(parseMarkdown(text), {})}</div>, [text]);

interface ProblemProps {
  readonly error: unknown;
  readonly texts: Texts;
  readonly before?: string;
  readonly retry?: () => Promise<void>;
}

/** What went wrong, where the person is looking, and how to go on. */
function Problem({ error, texts, before, retry }: ProblemProps) {
  const sentence =
    error instanceof ConnectionError ? texts.unreachable : error instanceof Error ? error.message : "";
  return (
    <div class="problem" role="alert">
      <p>
        {before} {sentence}
      </p>
      {retry && (
        <button type="button" class="quiet" onClick={() => void retry()}>
          {texts.retry}
        </button>
      )}
    </div>
  );
}

function SignInCard({ state, signIn, signInProblem, texts }: WidgetProps & { readonly texts: Texts }) {
  const [isBlocked, setBlocked] = useState(false);
  const url = state.config?.sign_in_url ?? undefined;
  const problem = isBlocked ? texts.popupBlocked : signInProblem;
  return (
    <div class="foot stack">
      <p>{url === undefined ? texts.unavailable : texts.signInFirst}</p>
      {problem !== undefined && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      {url !== undefined && (
        <button type="button" class="primary sign-in" onClick={() => setBlocked(!signIn(url))}>
          {texts.signIn}
        </button>
      )}
    </div>
  );
}

function Composer({ chat, state, texts }: WidgetProps & { readonly texts: Texts }) {
  const [text, setText] = useState("");
  const [stopError, setStopError] = useState<unknown>();
  const area = useRef<HTMLTextAreaElement>(null);
  const { length } = text;
  const isTooLong = length > LONGEST_MESSAGE;
  const { isBusy } = chat;
  useLayoutEffect(() => {
    const element = area.current;
    if (!element) return;
    element.style.height = "auto";
    // An empty one may not be shown yet, and then has no height to read.
    if (text !== "") element.style.height = `${element.scrollHeight}px`;
  }, [text]);
  const send = () => {
    if (text.trim() === "" || isTooLong || isBusy || !state.config) return;
    setText("");
    setStopError(undefined);
    void chat.send(text.trim());
  };
  return (
    <form
      class="foot"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {stopError !== undefined && !state.turn?.end && <Problem error={stopError} texts={texts} />}
      {isTooLong && (
        <p class="problem" id="too-long" role="alert">
          {texts.tooLong} {length.toLocaleString()}.
        </p>
      )}
      <div class="composer">
        <textarea
          ref={area}
          rows={1}
          value={text}
          placeholder={texts.message}
          aria-label={texts.message}
          aria-invalid={isTooLong}
          aria-describedby={isTooLong ? "too-long" : undefined}
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
            event.preventDefault();
            send();
          }}
        />
        {isBusy ? (
          <button
            type="button"
            class="primary round"
            aria-label={texts.stop}
            title={texts.stop}
            onClick={() => void chat.stop().catch(setStopError)}
          >
            <Icon d="M7.5 7.5h9v9h-9z" />
          </button>
        ) : (
          <button
            type="submit"
            class="primary round"
            aria-label={texts.send}
            title={texts.send}
            disabled={text.trim() === "" || isTooLong || !state.config}
          >
            <Icon d="M12 19V5m-6 6 6-6 6 6" />
          </button>
        )}
      </div>
    </form>
  );
}

interface IconButtonProps {
  readonly label: string;
  readonly d: string;
  readonly onClick: () => void;
}

const IconButton = ({ label, d, onClick }: IconButtonProps) => (
  <button type="button" class="icon-button" aria-label={label} title={label} onClick={onClick}>
    <Icon d={d} />
  </button>
);

const Icon = ({ d, size = 20 }: { readonly d: string; readonly size?: number }) => (
  <svg
    width={size}
    height={size}
    viewBox="0 0 24 24"
    fill="none"
    stroke="currentColor"
    stroke-width="1.7"
    stroke-linecap="round"
    stroke-linejoin="round"
    aria-hidden="true"
  >
    <path d={d} />
  </svg>
);
