import { useState } from "preact/hooks";
import { bus, useBus } from "../bus.ts";
import { useAction, useLoad } from "../data.ts";
import { href, navigate } from "../router.ts";
import { useClient } from "../session.tsx";
import type { Conversation } from "../types.ts";
import {
  Button,
  Confirm,
  Dialog,
  Field,
  LinkButton,
  Menu,
  Problem,
  Skeleton,
  TextInput,
  Time,
  toast,
} from "../ui/index.ts";
import { conversationsOf } from "./conversations-of.ts";

export interface ConversationListProps {
  readonly agentId: string;
  readonly conversationId: string | undefined;
}

/** The conversations with an agent, newest first. */
export function ConversationList({ agentId, conversationId }: ConversationListProps) {
  const client = useClient();
  const { data, error, reload, set } = useLoad(
    (signal) => conversationsOf(client, agentId, null, signal),
    [client, agentId],
  );
  const more = useAction(async () => {
    if (!data) return;
    const next = await conversationsOf(client, agentId, data.cursor);
    set({ conversations: [...data.conversations, ...next.conversations], cursor: next.cursor });
  });
  const [changing, setChanging] = useState<{ kind: "rename" | "delete"; conversation: Conversation }>();
  useBus("conversations-changed", reload);

  return (
    <div class="conversations">
      <LinkButton href={href("chat", agentId)} icon="plus">
        New conversation
      </LinkButton>
      {error !== undefined && <Problem error={error} retry={reload} />}
      {data === undefined && error === undefined && <Skeleton lines={4} />}
      {data?.conversations.length === 0 && (
        <p class="muted small conversations-empty">Nothing yet. Say hello.</p>
      )}
      <ul class="conversations-list">
        {data?.conversations.map((conversation) => (
          <li key={conversation.conversation_id} class="conversation">
            <a
              class="conversation-link"
              href={href("chat", agentId, conversation.conversation_id)}
              aria-current={conversation.conversation_id === conversationId ? "page" : undefined}
            >
              <span class="conversation-title">{conversation.title}</span>
              <span class="conversation-time">
                <Time at={conversation.updated_at ?? conversation.created_at} />
              </span>
            </a>
            <Menu
              label={`Actions for ${conversation.title}`}
              items={[
                {
                  label: "Rename",
                  icon: "edit",
                  onSelect: () => setChanging({ kind: "rename", conversation }),
                },
                {
                  label: "Delete",
                  icon: "trash",
                  danger: true,
                  onSelect: () => setChanging({ kind: "delete", conversation }),
                },
              ]}
            />
          </li>
        ))}
      </ul>
      {more.error !== undefined && <Problem error={more.error} />}
      {data && data.cursor !== null && (
        <Button small kind="quiet" busy={more.busy} onClick={() => void more.run()}>
          Show earlier ones
        </Button>
      )}
      {changing?.kind === "rename" && (
        <Rename conversation={changing.conversation} onClose={() => setChanging(undefined)} />
      )}
      {changing?.kind === "delete" && (
        <Delete
          conversation={changing.conversation}
          isShown={changing.conversation.conversation_id === conversationId}
          onClose={() => setChanging(undefined)}
        />
      )}
    </div>
  );
}

function Rename({
  conversation,
  onClose,
}: {
  readonly conversation: Conversation;
  readonly onClose: () => void;
}) {
  const client = useClient();
  const [title, setTitle] = useState(conversation.title);
  const { run, busy, error } = useAction(() =>
    client.conversations(conversation.conversation_id).update({ title }),
  );
  const save = async (event?: Event) => {
    event?.preventDefault();
    if (!(await run())) return;
    bus.emit({ type: "conversations-changed" });
    onClose();
  };
  return (
    <Dialog
      title="Rename the conversation"
      onClose={onClose}
      actions={
        <>
          <Button kind="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button kind="primary" busy={busy} disabled={title.trim() === ""} onClick={() => void save()}>
            Rename
          </Button>
        </>
      }
    >
      <form class="stack" onSubmit={(event) => void save(event)}>
        <Field label="Title">
          {(ids) => <TextInput {...ids} value={title} onValue={setTitle} maxLength={200} />}
        </Field>
        {error !== undefined && <Problem error={error} />}
      </form>
    </Dialog>
  );
}

interface DeleteProps {
  readonly conversation: Conversation;
  readonly isShown: boolean;
  readonly onClose: () => void;
}

function Delete({ conversation, isShown, onClose }: DeleteProps) {
  const client = useClient();
  const remove = async () => {
    await client.conversations(conversation.conversation_id).delete();
    bus.emit({ type: "conversations-changed" });
    toast("The conversation is deleted.", { kind: "ok" });
    if (isShown) navigate("chat", conversation.agent_id);
  };
  return (
    <Confirm title="Delete the conversation?" confirmLabel="Delete" onConfirm={remove} onClose={onClose}>
      <p>
        All messages of “{conversation.title}” are deleted. What the agent has written into its memory stays.
        This cannot be undone.
      </p>
    </Confirm>
  );
}
