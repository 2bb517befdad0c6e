import { useState } from "preact/hooks";
import type { Agent, TokenUsageReport } from "../../../client/src/index.ts";
import { useLoad } from "../data.ts";
import { formatNumber } from "../format.ts";
import { useClient } from "../session.tsx";
import { Problem, Select, Skeleton, Tabs } from "../ui/index.ts";
import { BarList, type BarItem, DayChart } from "./charts.tsx";
import { daysOf } from "./chart-scale.ts";
import { counted } from "./formats.ts";

type Grouping = TokenUsageReport["group_by"];

const DAY_MS = 86_400_000;
const RANGES = [
  { value: "7", label: "7 days" },
  { value: "30", label: "30 days" },
  { value: "90", label: "90 days" },
] as const;
const GROUPINGS: readonly { readonly id: Grouping; readonly label: string }[] = [
  { id: "day", label: "By day" },
  { id: "agent", label: "By agent" },
  { id: "model", label: "By model" },
];

/** The tokens that providers have counted, by day, agent or model. */
export function TokenReport() {
  const client = useClient();
  const [days, setDays] = useState("30");
  const [grouping, setGrouping] = useState<Grouping>("day");
  const report = useLoad(
    (signal) => {
      const now = Date.now();
      const dayOf = (time: number) => new Date(time).toISOString().slice(0, 10);
      const query = { group_by: grouping, from: dayOf(now - (Number(days) - 1) * DAY_MS), to: dayOf(now) };
      return client.request("GET", "/usage/tokens", { query, signal });
    },
    [client, days, grouping],
  );
  const agents = useLoad((signal) => client.request("GET", "/agents", { signal }), [client]);
  const { data, error } = report;
  return (
    <section class="card stack" aria-labelledby="usage-tokens">
      <div class="row usage-head">
        <h2 id="usage-tokens">Tokens</h2>
        <label class="row usage-range">
          <span class="visually-hidden">Time</span>
          <Select value={days} onValue={setDays} options={RANGES} />
        </label>
      </div>
      <Tabs
        label="Tokens by"
        tabs={GROUPINGS}
        selected={grouping}
        onSelect={(id) => setGrouping(GROUPINGS.find((one) => one.id === id)?.id ?? "day")}
      >
        {error !== undefined && <Problem error={error} retry={report.reload} />}
        {data === undefined && error === undefined && <Skeleton lines={5} />}
        {data && <Report report={data} agents={agents.data ?? []} />}
      </Tabs>
    </section>
  );
}

function Report({
  report,
  agents,
}: {
  readonly report: TokenUsageReport;
  readonly agents: readonly Agent[];
}) {
  const { items } = report;
  const sum = (count: (item: (typeof items)[number]) => number) =>
    items.reduce((total, item) => total + count(item), 0);
  const read = sum(({ usage }) => usage.input_tokens);
  const written = sum(({ usage }) => usage.output_tokens);
  if (items.length === 0)
    return (
      <p class="muted">
        No tokens have been counted in this time. Each answer of an agent adds to this chart.
      </p>
    );
  const summary = `${formatNumber(read)} read, ${formatNumber(written)} written, ${counted(
    sum(({ runs }) => runs),
    "answer",
  )}`;
  return (
    <div class="stack">
      <p class="muted">{summary}</p>
      {report.group_by === "day" ? (
        <DayChart days={daysOf(report.from, report.to, items)} title={`Tokens by day: ${summary}`} />
      ) : (
        <BarList items={items.map((item) => barOf(item, report.group_by, agents)).toSorted(byTokens)} />
      )}
    </div>
  );
}

function barOf(
  { key, usage }: TokenUsageReport["items"][number],
  grouping: Grouping,
  agents: readonly Agent[],
): BarItem {
  const name = agents.find(({ agent_id: id }) => id === key)?.agent_name;
  return {
    key,
    label: grouping === "agent" ? (name ?? "A deleted agent") : key,
    input: usage.input_tokens,
    output: usage.output_tokens,
  };
}

const byTokens = (a: BarItem, b: BarItem): number => b.input + b.output - a.input - a.output;
