import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { bus, useBus } from "../bus.ts";
import { useLoad } from "../data.ts";
import { SIDE_PANELS } from "../panels/index.ts";
import { href, replace } from "../router.ts";
import { useClient } from "../session.tsx";
import type { Agent } from "../types.ts";
import { Button, Empty, IconButton, LinkButton, Problem, Skeleton, Tabs, toast } from "../ui/index.ts";
import type { PickedFile } from "./attachments.ts";
import { Composer } from "./composer.tsx";
import { ConversationList } from "./conversation-list.tsx";
import { LiveView, MessageView } from "./message-view.tsx";
import { type Attachment, messagesBeside, Thread, type ThreadState } from "./thread.ts";
import "./chat.css";

export interface ChatScreenProps {
  readonly agentId: string;
  readonly conversationId: string | undefined;
}

/** Below this width, the panels are above the chat and not beside it; see chat.css. */
const PANELS_ABOVE = "(width < 1000px)";

/** The chat with an agent: its conversations, one of them, and the panels beside it. */
export function ChatScreen({ agentId, conversationId }: ChatScreenProps) {
  const client = useClient();
  const {
    data: agent,
    error,
    reload,
  } = useLoad((signal) => client.agents(agentId).get({ signal }), [client, agentId]);
  const [drawer, setDrawer] = useState<"conversations" | "panels">();
  const [panel, setPanel] = useState(SIDE_PANELS[0]?.id ?? "");
  useBus("agents-changed", reload);
  useBus("open-panel", ({ id }) => {
    setPanel(id);
    if (matchMedia(PANELS_ABOVE).matches) setDrawer("panels");
  });
  useEffect(() => setDrawer(undefined), [conversationId]);
  useEffect(() => {
    if (agent) document.title = `${agent.agent_name} · Dynamic Agent Builder`;
  }, [agent]);
  useEffect(() => {
    if (drawer === undefined) return;
    const before = document.activeElement;
    document.getElementById(drawer)?.querySelector<HTMLElement>("a, button")?.focus();
    const close = (event: KeyboardEvent) => event.key === "Escape" && setDrawer(undefined);
    addEventListener("keydown", close);
    return () => {
      removeEventListener("keydown", close);
      if (before instanceof HTMLElement) before.focus();
    };
  }, [drawer]);

  if (error !== undefined && !agent)
    return (
      <div class="page">
        <Problem error={error} retry={reload} />
        <div>
          <LinkButton href={href("agents")} icon="back">
            Your agents
          </LinkButton>
        </div>
      </div>
    );
  if (!agent)
    return (
      <div class="page">
        <Skeleton lines={6} />
      </div>
    );

  const selected = SIDE_PANELS.find(({ id }) => id === panel) ?? SIDE_PANELS[0];
  return (
    <div class="chat" data-drawer={drawer}>
      {drawer !== undefined && <div class="chat-backdrop" onClick={() => setDrawer(undefined)} />}
      <aside class="chat-side chat-conversations" id="conversations" aria-label="Conversations">
        <ConversationList agentId={agentId} conversationId={conversationId} />
      </aside>
      <section class="chat-center" aria-label={`Chat with ${agent.agent_name}`}>
        <header class="chat-head">
          <span class="chat-toggle" data-for="conversations">
            <IconButton
              icon="chat"
              label="Conversations"
              aria-expanded={drawer === "conversations"}
              aria-controls="conversations"
              onClick={() => setDrawer("conversations")}
            />
          </span>
          <div class="chat-title">
            <h1>{agent.agent_name}</h1>
            <p>
              {agent.agent_provider} · {agent.agent_model ?? "default model"}
            </p>
          </div>
          <a
            class="icon-button"
            href={href("agents", agentId, "edit")}
            aria-label="Change the agent"
            title="Change the agent"
          >
            <GearIcon />
          </a>
          {selected && (
            <span class="chat-toggle" data-for="panels">
              <IconButton
                icon="panel"
                label="Memory and context"
                aria-expanded={drawer === "panels"}
                aria-controls="panels"
                onClick={() => setDrawer("panels")}
              />
            </span>
          )}
        </header>
        <ThreadView agent={agent} conversationId={conversationId} />
      </section>
      {selected && (
        <aside class="chat-side chat-panels" id="panels" aria-label="Memory and context">
          <div class="chat-panels-close">
            <IconButton icon="close" label="Close" onClick={() => setDrawer(undefined)} />
          </div>
          <Tabs label="Memory and context" tabs={SIDE_PANELS} selected={selected.id} onSelect={setPanel}>
            <selected.Component key={selected.id} agent={agent} conversationId={conversationId} />
          </Tabs>
        </aside>
      )}
    </div>
  );
}

function GearIcon() {
  return (
    <svg
      class="icon"
      width="18"
      height="18"
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="1.7"
      stroke-linecap="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d="M4 7h9m5 0h2M4 17h2m5 0h9M15.5 4.5v5M8.5 14.5v5" />
    </svg>
  );
}

/** Returns the conversation that is shown, with what follows it, and what sends messages. */
function useThread(agentId: string, conversationId: string | undefined) {
  const client = useClient();
  /** A conversation that a message has just begun. Its thread is following the turn already. */
  const begun = useRef<Thread | undefined>(undefined);
  const current = useRef<Thread | undefined>(undefined);
  const [state, setState] = useState<ThreadState>();

  const show = useCallback((thread: Thread) => {
    current.current = thread;
    setState(thread.state);
    thread.listen(setState);
  }, []);

  useEffect(() => {
    if (conversationId === undefined) {
      setState(undefined);
      return;
    }
    const isBegun = begun.current?.conversationId === conversationId;
    const thread = isBegun && begun.current ? begun.current : new Thread({ client, agentId, conversationId });
    begun.current = undefined;
    if (current.current !== thread) show(thread);
    void thread.open();
    return () => {
      thread.close();
      if (current.current === thread) current.current = undefined;
    };
  }, [client, agentId, conversationId]);

  const send = async (content: string, attachments: readonly Attachment[]): Promise<boolean> => {
    const present = current.current;
    if (present) return await present.send(content, attachments);

    const title = titleOf(content, attachments);
    const { conversation_id: id } = await client.conversations.create({ title, agent_id: agentId });
    const thread = new Thread({ client, agentId, conversationId: id });
    begun.current = thread;
    show(thread);
    const sent = thread.send(content, attachments);
    replace("chat", agentId, id);
    bus.emit({ type: "conversations-changed" });
    return await sent;
  };
  return { state, thread: current, send };
}

const MAX_TITLE_CHARS = 60;

/** A conversation is called after its first message. */
function titleOf(content: string, attachments: readonly Attachment[]): string {
  const [line = ""] = content.trim().split("\n", 1);
  const title = line.trim() || attachments[0]?.filename || "Conversation";
  return title.length > MAX_TITLE_CHARS ? `${title.slice(0, MAX_TITLE_CHARS - 1).trimEnd()}…` : title;
}

/** How near the end somebody has to be, in pixels, to be kept there while an answer grows. */
const NEAR_PX = 80;

function ThreadView({
  agent,
  conversationId,
}: {
  readonly agent: Agent;
  readonly conversationId: string | undefined;
}) {
  const { state, thread, send } = useThread(agent.agent_id, conversationId);
  const [beginError, setBeginError] = useState<unknown>();
  const [dropped, setDropped] = useState<readonly PickedFile[]>([]);
  const [isDragging, setDragging] = useState(false);
  const [isAtEnd, setAtEnd] = useState(true);
  const scroller = useRef<HTMLDivElement>(null);
  const live = state?.live;
  const isRunning = live !== undefined && live.end === undefined;

  useEffect(() => setBeginError(undefined), [conversationId]);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element && isAtEnd) element.scrollTop = element.scrollHeight;
  }, [state, isAtEnd]);

  const sendOrKeep = async (content: string, attachments: readonly Attachment[]) => {
    setBeginError(undefined);
    setAtEnd(true);
    try {
      return await send(content, attachments);
    } catch (error) {
      setBeginError(error);
      return false;
    }
  };
  const lastId = state?.messages.at(-1)?.message_id;
  const regenerate = useCallback(() => {
    setAtEnd(true);
    if (lastId !== undefined) void thread.current?.regenerate(lastId);
  }, [lastId, thread]);
  const canRegenerate = lastId !== undefined && !isRunning && state?.isLoading === false;

  const stored = useMemo(
    () =>
      messagesBeside(state?.messages ?? [], live).map((message) => (
        <MessageView
          key={message.message_id}
          message={message}
          agentName={agent.agent_name}
          onRegenerate={
            canRegenerate && live === undefined && message.message_id === lastId ? regenerate : undefined
          }
        />
      )),
    [state?.messages, live?.runId, live?.replaces, live?.end, canRegenerate, regenerate, agent.agent_name],
  );
  const isEmpty =
    conversationId === undefined || (state !== undefined && !state.isLoading && stored.length === 0 && !live);

  return (
    <div
      class="thread"
      data-dragging={isDragging || undefined}
      onDragOver={(event) => {
        if (!event.dataTransfer?.types.includes("Files")) return;
        event.preventDefault();
        setDragging(true);
      }}
      onDragLeave={(event) => {
        if (event.target === event.currentTarget || event.relatedTarget === null) setDragging(false);
      }}
      onDrop={(event) => {
        event.preventDefault();
        setDragging(false);
        setDropped([...(event.dataTransfer?.files ?? [])]);
      }}
    >
      <div
        class="thread-scroller"
        ref={scroller}
        role="region"
        aria-label="Messages"
        tabIndex={0}
        onScroll={({ currentTarget: { scrollTop, clientHeight, scrollHeight } }) =>
          setAtEnd(scrollHeight - scrollTop - clientHeight < NEAR_PX)
        }
      >
        <div class="thread-messages">
          {state && state.earlier !== null && (
            <Button
              small
              kind="quiet"
              busy={state.isLoading}
              onClick={() => void thread.current?.loadEarlier()}
            >
              Show earlier messages
            </Button>
          )}
          {state?.error !== undefined && (
            <Problem error={state.error} retry={() => void thread.current?.reload()} />
          )}
          {state?.isLoading && stored.length === 0 && !live && <Skeleton lines={5} />}
          {isEmpty && (
            <Empty icon="chat" title={`Talk to ${agent.agent_name}`}>
              <p>
                Tell it something about yourself, then open a new conversation and ask what it knows. Text
                files can be dropped here.
              </p>
            </Empty>
          )}
          {stored}
          {live && (
            <LiveView
              turn={live}
              agentName={agent.agent_name}
              isLost={state.isLost}
              onResume={() => void thread.current?.resume()}
              onRegenerate={canRegenerate ? regenerate : undefined}
              onDecide={(callId, decision) => {
                thread.current
                  ?.decide(callId, decision)
                  .catch(() => toast("The decision could not be sent. Reload the page.", { kind: "error" }));
              }}
            />
          )}
        </div>
      </div>
      <p class="visually-hidden" role="status">
        {isRunning ? `${agent.agent_name} is answering.` : live?.end ? "The answer is complete." : ""}
      </p>
      {!isAtEnd && (
        <div class="thread-latest">
          <Button small icon="down" onClick={() => setAtEnd(true)}>
            Latest
          </Button>
        </div>
      )}
      <Composer
        agentName={agent.agent_name}
        isRunning={isRunning}
        refusal={beginError ?? state?.refusal}
        onSend={sendOrKeep}
        onStop={async () => await thread.current?.stop()}
        dropped={dropped}
      />
      {isDragging && (
        <div class="thread-drop" aria-hidden="true">
          Drop text files to attach them
        </div>
      )}
    </div>
  );
}
