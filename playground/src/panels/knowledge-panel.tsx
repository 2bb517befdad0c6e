import { useState } from "preact/hooks";
import type { Agent, Citation } from "../../../client/src/index.ts";
import { bus, useBus } from "../bus.ts";
import { useAction, useLoad } from "../data.ts";
import { href } from "../router.ts";
import { useClient } from "../session.tsx";
import { Empty, Problem, Skeleton, Switch } from "../ui/index.ts";
import { counted } from "./formats.ts";
import "./knowledge.css";

interface KnowledgePanelProps {
  readonly agent: Agent;
  readonly conversationId: string | undefined;
}

/** The architecture whose agents search knowledge bases. */
const SEARCHING = "krishna-memgpt";

/** Which knowledge bases an agent searches, and which passages it has found for its latest answer. */
export function KnowledgePanel({ agent, conversationId }: KnowledgePanelProps) {
  const client = useClient();
  const agentId = agent.agent_id;
  const bases = useLoad((signal) => client.request("GET", "/knowledge-bases", { signal }), [client]);
  const links = useLoad(
    (signal) => client.request("GET", "/agents/{agentId}/knowledge-bases", { path: { agentId }, signal }),
    [client, agentId],
  );
  const citations = useCitations(agentId, conversationId);
  const change = useAction(async (kbId: string, isLinked: boolean) => {
    if (isLinked)
      await client.request("POST", "/agents/{agentId}/knowledge-bases", {
        path: { agentId },
        query: { kb_id: kbId },
      });
    else
      await client.request("DELETE", "/agents/{agentId}/knowledge-bases/{kbId}", { path: { agentId, kbId } });
    links.reload();
  });
  useBus("knowledge-changed", () => {
    bases.reload();
    links.reload();
  });

  const error = bases.error ?? links.error;
  const linked = new Set(links.data?.map(({ kb_id: id }) => id));
  return (
    <div class="stack knowledge-panel">
      <p class="muted">Pages and files that the agent searches and cites.</p>
      {agent.agent_architecture !== SEARCHING && (
        <p class="muted" role="note">
          Agents of the architecture {agent.agent_architecture} don’t search. Choose {SEARCHING} to let this
          one.
        </p>
      )}
      {error !== undefined && (
        <Problem
          error={error}
          retry={() => {
            bases.reload();
            links.reload();
          }}
        />
      )}
      {(bases.data === undefined || links.data === undefined) && error === undefined && (
        <Skeleton lines={3} />
      )}
      {bases.data?.length === 0 && (
        <Empty
          icon="knowledge"
          title="No knowledge bases yet"
          action={<a href={href("knowledge")}>Create one</a>}
        >
          Upload documents or crawl a site. The agent then answers from them and says where it has read it.
        </Empty>
      )}
      {bases.data !== undefined && bases.data.length > 0 && links.data !== undefined && (
        <ul class="list">
          {bases.data.map((base) => (
            <li key={base.kb_id} class="list-row">
              <span>
                <a href={href("knowledge", base.kb_id)}>{base.name}</a>
                <span class="muted"> · {counted(base.total_pages, "page")}</span>
              </span>
              <Switch
                label={<span class="visually-hidden">Let the agent search {base.name}</span>}
                checked={linked.has(base.kb_id)}
                disabled={change.busy}
                onChecked={(isOn) => void change.run(base.kb_id, isOn)}
              />
            </li>
          ))}
        </ul>
      )}
      {change.error !== undefined && <Problem error={change.error} />}
      {citations.length > 0 && (
        <section aria-labelledby="knowledge-found">
          <h2 id="knowledge-found">Found for the latest answer</h2>
          <ol class="list">
            {citations.map((citation) => (
              <li key={citation.n}>
                <button
                  type="button"
                  class="knowledge-citation"
                  onClick={() => bus.emit({ type: "open-passage", citation })}
                >
                  <span class="badge">{citation.n}</span>{" "}
                  {citation.title ?? citation.url ?? "An uploaded file"}
                  {citation.heading !== null && <span class="muted"> · {citation.heading}</span>}
                </button>
              </li>
            ))}
          </ol>
        </section>
      )}
    </div>
  );
}

/** Returns the passages that the tools of the latest turn of a conversation have shown, by their numbers. */
function useCitations(agentId: string, conversationId: string | undefined): readonly Citation[] {
  const [found, setFound] = useState<{
    readonly of: string | undefined;
    readonly items: readonly Citation[];
  }>();
  useBus("run-event", (news) => {
    if (news.agentId !== agentId) return;
    const { conversationId: of, event } = news;
    if (event.event_type === "MESSAGE_SAVED") setFound({ of, items: [] });
    if (event.event_type !== "TOOL_CALL_RESULT" || event.citations === undefined) return;
    const shown = event.citations;
    setFound((known) => {
      const earlier = known?.of === of ? (known?.items ?? []) : [];
      const numbers = new Set(shown.map(({ n }) => n));
      const items = [...earlier.filter(({ n }) => !numbers.has(n)), ...shown];
      return { of, items: items.toSorted((a, b) => a.n - b.n) };
    });
  });
  return found !== undefined && found.of === conversationId ? found.items : [];
}
