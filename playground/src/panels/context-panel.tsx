import { useState } from "preact/hooks";
import type { Agent, ConversationContext } from "../../../client/src/index.ts";
import { formatNumber } from "../format.ts";
import { useBus } from "../bus.ts";
import { useLoad } from "../data.ts";
import { useClient } from "../session.tsx";
import { Bar, Button, Empty, Problem, Skeleton } from "../ui/index.ts";
import { type ContextSegment, contextSegments, leftOutSentences } from "./context-sections.ts";
import { counted, formatShare } from "./formats.ts";
import "./context.css";

interface ContextPanelProps {
  readonly agent: Agent;
  readonly conversationId: string | undefined;
}

/** Shows what the model would read in the next turn of a conversation, section by section, and what is left out. */
export function ContextPanel({ agent, conversationId }: ContextPanelProps) {
  if (conversationId === undefined)
    return (
      <Empty icon="layers" title="No conversation yet">
        Send a message. Then you see here what the model reads before it answers, and how much room is left.
      </Empty>
    );
  return <ContextInspector key={conversationId} agentId={agent.agent_id} conversationId={conversationId} />;
}

function ContextInspector({
  agentId,
  conversationId,
}: {
  readonly agentId: string;
  readonly conversationId: string;
}) {
  const client = useClient();
  const { data, error, loading, reload } = useLoad(
    (signal) =>
      client.request("GET", "/conversations/{conversationId}/context", {
        path: { conversationId },
        headers: { "X-Time-Zone": Intl.DateTimeFormat().resolvedOptions().timeZone },
        signal,
      }),
    [client, conversationId],
  );
  useBus("run-ended", (ended) => {
    if (ended.conversationId === conversationId) reload();
  });
  // A block that was changed by hand, or by the agent, changes the next prompt.
  useBus("run-event", (news) => {
    if (news.agentId === agentId && news.event.event_type === "MEMORY_UPDATED") reload();
  });
  return (
    <div class="stack context-panel" aria-busy={loading}>
      <div class="row context-head">
        <p class="muted">What the model would read next.</p>
        <Button small kind="quiet" icon="refresh" onClick={reload}>
          Refresh
        </Button>
      </div>
      {error !== undefined && <Problem error={error} retry={reload} />}
      {data === undefined && error === undefined && <Skeleton lines={6} />}
      {data && <ContextView context={data} />}
    </div>
  );
}

function ContextView({ context }: { readonly context: ConversationContext }) {
  const [open, setOpen] = useState<string>();
  const segments = contextSegments(context);
  const leftOut = leftOutSentences(context);
  const { totals, model } = context;
  return (
    <>
      <div class="context-bar" role="img" aria-label={segments.map(labelOf).join(", ")}>
        {segments.map((segment, index) => (
          // For the mouse. Keyboards and screen readers have the list below, which does the same.
          <span
            key={segment.id}
            class="context-segment"
            data-tone={index % TONES}
            data-open={segment.id === open}
            title={labelOf(segment)}
            style={{ flexGrow: segment.tokens }}
            onClick={() => setOpen(segment.id === open ? undefined : segment.id)}
          />
        ))}
      </div>
      <div>
        <Bar
          value={totals.tokens}
          max={model.window_tokens}
          label={`${formatNumber(totals.tokens)} of ${counted(model.window_tokens, "token")} of ${model.id}`}
        />
        <p class="muted" title={context.estimate}>
          About {counted(totals.tokens, "token")}, {formatShare(totals.tokens / model.window_tokens)} of what{" "}
          {model.id} can read ({formatNumber(model.window_tokens)}).
        </p>
      </div>
      <ul class="list context-list">
        {segments.map((segment, index) => (
          <SegmentRow
            key={segment.id}
            segment={segment}
            tone={index % TONES}
            isOpen={segment.id === open}
            onToggle={() => setOpen(segment.id === open ? undefined : segment.id)}
          />
        ))}
      </ul>
      <section aria-labelledby="context-left-out">
        <h2 id="context-left-out">Left out</h2>
        {leftOut.length === 0 ? (
          <p class="muted">Nothing: the model reads the whole conversation and all of its core memory.</p>
        ) : (
          <ul class="context-left-out">
            {leftOut.map((sentence) => (
              <li key={sentence}>{sentence}</li>
            ))}
          </ul>
        )}
      </section>
    </>
  );
}

const labelOf = ({ label, tokens, share }: ContextSegment): string =>
  `${label}: ${counted(tokens, "token")}, ${formatShare(share)}`;

/** How many tones segments take turns in. */
const TONES = 7;

interface SegmentRowProps {
  readonly segment: ContextSegment;
  readonly tone: number;
  readonly isOpen: boolean;
  readonly onToggle: () => void;
}

function SegmentRow({ segment, tone, isOpen, onToggle }: SegmentRowProps) {
  return (
    <li>
      <button type="button" class="context-row" aria-expanded={isOpen} onClick={onToggle}>
        <span class="context-swatch" data-tone={tone} aria-hidden="true" />
        <span>{segment.label}</span>
        <span class="muted">{counted(segment.tokens, "token")}</span>
      </button>
      {isOpen && (
        <div class="context-texts" tabIndex={0} role="region" aria-label={segment.label}>
          {segment.entries.map((entry, index) => (
            <div key={index} class="context-entry">
              {(entry.title !== null || segment.entries.length > 1) && (
                <p class="muted">
                  {entry.title ?? entry.text} · {counted(entry.tokens, "token")}
                </p>
              )}
              {(entry.title !== null || segment.entries.length === 1) && <pre class="mono">{entry.text}</pre>}
            </div>
          ))}
        </div>
      )}
    </li>
  );
}
