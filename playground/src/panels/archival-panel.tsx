import { useState } from "preact/hooks";
import type { Agent, FoundMemories, Memory } from "../../../client/src/index.ts";
import { formatNumber } from "../format.ts";
import { useBus } from "../bus.ts";
import { useAction, useLoad } from "../data.ts";
import { useClient } from "../session.tsx";
import { Button, Empty, Field, Problem, Skeleton, TextInput } from "../ui/index.ts";
import { counted } from "./formats.ts";
import { MemoryDialog } from "./memory-dialog.tsx";
import { MemoryItem, type ShownMemory } from "./memory-item.tsx";
import { noteSentences } from "./search-marks.ts";
import "./archival.css";

/** How many memories are requested at once. */
const PAGE = 20;
/** The tool with which agents store memories. */
const INSERT = "archival_memory_insert";

/** What is searched for. Both are empty for the newest memories. */
interface Question {
  readonly query: string;
  /** A date: the memories are searched as they stood at its end. */
  readonly asOf: string;
}

const NEWEST: Question = { query: "", asOf: "" };

/** The archival memory of an agent beside a chat: search with matched passages; add, edit, delete. */
export function ArchivalPanel({ agent: { agent_id: agentId } }: { readonly agent: Agent }) {
  const client = useClient();
  const [typed, setTyped] = useState(NEWEST);
  const [asked, setAsked] = useState(NEWEST);
  const [edited, setEdited] = useState<ShownMemory | "new">();

  const readPage = async (signal?: AbortSignal, cursor?: string): Promise<FoundMemories> => {
    const page = { limit: PAGE, ...(cursor !== undefined && { cursor }) };
    if (asked.query === "" && asked.asOf === "") {
      const newest = await client.request("GET", "/agents/{agentId}/archival-memory", {
        path: { agentId },
        query: page,
        ...(signal && { signal }),
      });
      return asFound(newest);
    }
    return client.request("GET", "/agents/{agentId}/archival-memory/search", {
      path: { agentId },
      query: { ...page, query: asked.query, ...(asked.asOf !== "" && { as_of: asked.asOf }) },
      ...(signal && { signal }),
    });
  };
  const found = useLoad(readPage, [client, agentId, asked.query, asked.asOf]);
  const status = useLoad(
    (signal) =>
      client.request("GET", "/agents/{agentId}/archival-memory/status", { path: { agentId }, signal }),
    [client, agentId],
  );
  const more = useAction(async (cursor: string) => {
    const next = await readPage(undefined, cursor);
    found.set({ ...next, items: [...(found.data?.items ?? []), ...next.items], ...evidenceOf(found.data) });
  });
  const reload = () => {
    found.reload();
    status.reload();
  };
  useBus("run-event", ({ agentId: source, event }) => {
    if (source !== agentId || event.event_type !== "TOOL_CALL_RESULT") return;
    if (event.tool_name === INSERT && event.success) reload();
  });

  const { data } = found;
  const terms = data?.evidence?.matched_terms ?? [];
  const missing = data?.evidence?.missing_terms ?? [];
  const isSearch = asked.query !== "" || asked.asOf !== "";
  return (
    <div class="stack archival-panel">
      <div class="row archival-head">
        <p class="muted">What does not fit into the prompt. The agent finds it by searching.</p>
        <Button small kind="quiet" icon="plus" onClick={() => setEdited("new")}>
          Add
        </Button>
      </div>
      <form
        class="stack"
        role="search"
        aria-label="Archival memory"
        onSubmit={(event) => {
          event.preventDefault();
          setAsked({ query: typed.query.trim(), asOf: typed.asOf });
        }}
      >
        <Field label="Search memories">
          {(ids) => (
            <TextInput
              {...ids}
              type="search"
              maxLength={1000}
              placeholder="Where does she work?"
              value={typed.query}
              onValue={(query) => setTyped({ ...typed, query })}
            />
          )}
        </Field>
        <details>
          <summary>As it stood at an earlier date</summary>
          <Field
            label="End of the day"
            help="Finds the texts that memories had then, even if they have changed since."
          >
            {(ids) => (
              <TextInput
                {...ids}
                type="date"
                value={typed.asOf}
                onValue={(asOf) => setTyped({ ...typed, asOf })}
              />
            )}
          </Field>
        </details>
        <div class="row">
          <Button type="submit" icon="search">
            Search
          </Button>
          {isSearch && (
            <Button
              kind="quiet"
              onClick={() => {
                setTyped(NEWEST);
                setAsked(NEWEST);
              }}
            >
              Show the newest
            </Button>
          )}
        </div>
      </form>
      <div class="stack" aria-live="polite" aria-busy={found.loading}>
        {isSearch && data && (
          <p class="muted">
            {counted(data.total, "memory", "memories")} found
            {missing.length > 0 && `. No memory has: ${missing.join(", ")}`}
          </p>
        )}
        {noteSentences(data?.notes ?? []).map((sentence) => (
          <p key={sentence} class="muted">
            {sentence}
          </p>
        ))}
        {found.error !== undefined && <Problem error={found.error} retry={found.reload} />}
        {data === undefined && found.error === undefined && <Skeleton lines={5} />}
        {data?.items.length === 0 && <NothingFound isSearch={isSearch} />}
        {data !== undefined && data.items.length > 0 && (
          <ul class="list archival-list">
            {data.items.map((memory) => (
              <MemoryItem
                key={memory.memory_id}
                agentId={agentId}
                memory={memory}
                terms={terms}
                onEdit={() => setEdited(memory)}
                onDeleted={reload}
              />
            ))}
          </ul>
        )}
        {data?.next_cursor && (
          <Button kind="quiet" busy={more.busy} onClick={() => void more.run(data.next_cursor ?? "")}>
            Show more
          </Button>
        )}
        {more.error !== undefined && <Problem error={more.error} />}
      </div>
      {status.data && status.data.memories > 0 && (
        <p class="muted archival-status">
          {counted(status.data.memories, "memory", "memories")}; {formatNumber(status.data.indexed)} found by
          words
          {status.data.model === null
            ? "."
            : `, ${formatNumber(status.data.embedded)} by meaning (${status.data.model}).`}
          {status.data.last_error && ` ${status.data.last_error.message}`}
        </p>
      )}
      {edited !== undefined && (
        <MemoryDialog
          agentId={agentId}
          {...(edited !== "new" && { memory: edited })}
          onClose={() => setEdited(undefined)}
          onSaved={reload}
        />
      )}
    </div>
  );
}

function NothingFound({ isSearch }: { readonly isSearch: boolean }) {
  return isSearch ? (
    <Empty icon="search" title="Nothing found">
      Try fewer or other words. Names and nouns find more than whole sentences.
    </Empty>
  ) : (
    <Empty icon="archive" title="The archive is empty">
      Ask the agent to remember a story or a document, or add a memory yourself. There is room for more than
      any prompt holds.
    </Empty>
  );
}

/** Returns a page of the newest memories in the form of a search's answer. */
const asFound = (page: {
  readonly items: readonly Memory[];
  readonly next_cursor: string | null;
  readonly has_more: boolean;
}): FoundMemories => ({
  items: page.items.map(({ memory_id, content, created_at, occurred_at }) => ({
    memory_id,
    content,
    created_at,
    ...(occurred_at !== null && { occurred_at }),
    score: 1,
  })),
  total: page.items.length,
  next_cursor: page.next_cursor,
  has_more: page.has_more,
  notes: [],
});

/** Only the first page of a search has evidence, and it holds for all of them. */
const evidenceOf = (first: FoundMemories | undefined) =>
  first?.evidence === undefined ? {} : { evidence: first.evidence };
