import type { MonthlyUsage, Usage } from "../../../client/src/index.ts";
import { useAction, useLoad } from "../data.ts";
import { formatNumber, fullTime } from "../format.ts";
import { useClient } from "../session.tsx";
import { Bar, Button, Problem, Skeleton } from "../ui/index.ts";
import { counted, formatDay, formatMonth } from "./formats.ts";
import { TokenReport } from "./token-report.tsx";
import "./usage.css";

/** The plan, what is used of it, and tokens as charts. */
export function UsageScreen() {
  const client = useClient();
  const usage = useLoad((signal) => client.request("GET", "/usage", { signal }), [client]);
  const history = useLoad((signal) => client.request("GET", "/usage/history", { signal }), [client]);
  const more = useAction(async (cursor: string) => {
    const next = await client.request("GET", "/usage/history", { query: { cursor } });
    history.set({ ...next, items: [...(history.data?.items ?? []), ...next.items] });
  });
  return (
    <div class="page">
      <div class="page-head">
        <h1>Usage</h1>
      </div>
      {usage.error !== undefined && <Problem error={usage.error} retry={usage.reload} />}
      {usage.data === undefined && usage.error === undefined && <Skeleton lines={6} />}
      {usage.data && <PlanCard usage={usage.data} />}
      <TokenReport />
      <section class="card stack" aria-labelledby="usage-months">
        <h2 id="usage-months">By month</h2>
        {history.error !== undefined && <Problem error={history.error} retry={history.reload} />}
        {history.data === undefined && history.error === undefined && <Skeleton lines={3} />}
        {history.data?.items.length === 0 && (
          <p class="muted">Nothing has been counted yet. Send a message, and this month appears here.</p>
        )}
        {history.data !== undefined && history.data.items.length > 0 && (
          <MonthTable months={history.data.items} />
        )}
        {history.data?.next_cursor && (
          <div>
            <Button
              kind="quiet"
              busy={more.busy}
              onClick={() => void more.run(history.data?.next_cursor ?? "")}
            >
              Show earlier months
            </Button>
          </div>
        )}
        {more.error !== undefined && <Problem error={more.error} />}
      </section>
    </div>
  );
}

/** What a plan limits and the account counts, in the order of interest. */
const COUNTED = [
  { name: "messages", label: "Messages this month" },
  { name: "agents", label: "Agents" },
  { name: "kb_pages", label: "Pages and files this month" },
  { name: "concurrent_runs", label: "Answers at the same time" },
] as const;

/** Limits that hold for each memory or end user, so that there is no one count of the account. */
const PER_MEMORY = [
  { name: "memory_blocks", label: "Memory blocks of one memory" },
  { name: "archival_memories", label: "Archival memories of one memory" },
  { name: "end_user_messages", label: "Messages of one end user a month" },
] as const;

function PlanCard({ usage }: { readonly usage: Usage }) {
  const client = useClient();
  const subscription = useLoad(
    (signal) => client.request("GET", "/payments/stripe/subscription/status", { signal }),
    [client],
  );
  const others = PER_MEMORY.filter(({ name }) => usage.limits[name] !== null);
  const { data } = subscription;
  return (
    <section class="card stack" aria-labelledby="usage-plan">
      <div class="row usage-head">
        <h2 id="usage-plan">
          Plan <span class="badge">{usage.tier}</span>
        </h2>
        <span class="muted" title={fullTime(usage.resets_at)}>
          Counts begin again on {formatDay(usage.resets_at)}
        </span>
      </div>
      {data?.is_active && data.current_period_end !== null && (
        <p class="muted">
          {data.cancel_at_period_end ? "Ends" : "Renews"} on{" "}
          {fullTime(new Date(Number(data.current_period_end) * 1_000).toISOString())}
          {data.billing_cycle !== null && `, ${data.billing_cycle}`}.
        </p>
      )}
      <dl class="usage-limits">
        {COUNTED.map(({ name, label }) => (
          <Limit key={name} label={label} used={usage.usage[name]} limit={usage.limits[name]} />
        ))}
      </dl>
      {others.length > 0 && (
        <ul class="usage-others muted">
          {others.map(({ name, label }) => (
            <li key={name}>
              {label}: up to {formatNumber(usage.limits[name] ?? 0)}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

interface LimitProps {
  readonly label: string;
  /** Null if it is not counted. */
  readonly used: number | null;
  /** Null if there is none. */
  readonly limit: number | null;
}

function Limit({ label, used, limit }: LimitProps) {
  const text =
    limit === null
      ? used === null
        ? "No limit"
        : `${formatNumber(used)}, no limit`
      : `${formatNumber(used ?? 0)} of ${formatNumber(limit)}`;
  return (
    <div class="usage-limit">
      <dt>{label}</dt>
      <dd>
        {text}
        {limit !== null && <Bar value={used ?? 0} max={limit} label={`${label}: ${text}`} />}
      </dd>
    </div>
  );
}

function MonthTable({ months }: { readonly months: readonly MonthlyUsage[] }) {
  return (
    <table class="usage-table">
      <thead>
        <tr>
          <th scope="col">Month</th>
          <th scope="col">Messages</th>
          <th scope="col">Pages and files</th>
        </tr>
      </thead>
      <tbody>
        {months.map(({ period, messages, kb_pages: pages }) => (
          <tr key={period}>
            <th scope="row">{formatMonth(period)}</th>
            <td>{counted(messages, "message")}</td>
            <td>{counted(pages, "page")}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
