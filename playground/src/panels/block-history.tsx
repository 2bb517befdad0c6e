import { useState } from "preact/hooks";
import type { MemoryBlockVersion } from "../../../client/src/index.ts";
import { fullTime } from "../format.ts";
import { useAction, useLoad } from "../data.ts";
import { useClient } from "../session.tsx";
import { Button, Dialog, Empty, Problem, Skeleton, Time, toast } from "../ui/index.ts";
import { DiffView } from "./diff-view.tsx";
import { counted } from "./formats.ts";
import { changeLabel } from "./memory-state.ts";

interface BlockHistoryProps {
  readonly agentId: string;
  readonly name: string;
  readonly onClose: () => void;
  readonly onChanged: () => void;
}

/** How many versions are requested at once. */
const PAGE = 20;

const AUTHORS: Readonly<Record<string, string>> = {
  user: "You",
  agent: "The agent",
  compaction: "Compaction",
  restore: "Restored",
  import: "Import",
};

/** The versions of a block: who has changed it and how, with undo and restore. */
export function BlockHistory({ agentId, name, onClose, onChanged }: BlockHistoryProps) {
  const client = useClient();
  const [chosen, setChosen] = useState<number>();
  const path = { agentId, blockName: name };
  const blockClient = client.agents(agentId).memory.block(name);
  const readPage = (signal: AbortSignal | undefined, cursor?: string) =>
    client.request("GET", "/agents/{agentId}/memory-blocks/{blockName}/versions", {
      path,
      query: { limit: PAGE, ...(cursor !== undefined && { cursor }) },
      ...(signal && { signal }),
    });
  const versions = useLoad((signal) => readPage(signal), [client, agentId, name]);
  const more = useAction(async (cursor: string) => {
    const next = await readPage(undefined, cursor);
    versions.set({ ...next, items: [...(versions.data?.items ?? []), ...next.items] });
  });
  const change = useAction(async (work: () => Promise<unknown>, done: string) => {
    await work();
    onChanged();
    setChosen(undefined);
    versions.reload();
    toast(done);
  });

  const items = versions.data?.items ?? [];
  const cursor = versions.data?.next_cursor ?? null;
  // The last version of a page has nothing to be compared with until the next page is there.
  const shown = cursor === null ? items : items.slice(0, -1);
  const newest = shown[0];
  const selected = shown.find(({ version }) => version === chosen) ?? newest;
  const before = selected && items[items.indexOf(selected) + 1];

  return (
    <Dialog title={`History of ${name}`} wide onClose={onClose}>
      {versions.error !== undefined && <Problem error={versions.error} retry={versions.reload} />}
      {versions.data === undefined && versions.error === undefined && <Skeleton lines={6} />}
      {versions.data !== undefined && items.length === 0 && (
        <Empty icon="history" title="No changes yet">
          Every change of this block will be a version here, whoever makes it, and can be undone.
        </Empty>
      )}
      {selected && newest && (
        <div class="memory-history">
          <div class="stack">
            <ul class="list memory-versions" aria-label="Versions, newest first">
              {shown.map((version, index) => (
                <li key={version.version}>
                  <button
                    type="button"
                    class="memory-version"
                    aria-pressed={version === selected}
                    onClick={() => setChosen(version.version)}
                  >
                    <strong>
                      {AUTHORS[version.by] ?? version.by} · version {version.version}
                    </strong>
                    <span class="muted" title={fullTime(version.created_at)}>
                      <Time at={version.created_at} /> ·{" "}
                      {changeLabel(items[index + 1]?.lines ?? [], version.lines)}
                    </span>
                  </button>
                </li>
              ))}
            </ul>
            {cursor !== null && (
              <Button kind="quiet" busy={more.busy} onClick={() => void more.run(cursor)}>
                Show older versions
              </Button>
            )}
            {more.error !== undefined && <Problem error={more.error} />}
          </div>
          <div class="stack" aria-live="polite">
            <p class="muted">
              Version {selected.version}, {fullTime(selected.created_at)},{" "}
              {counted(selected.word_count, "word")}.
            </p>
            <Sources version={selected} />
            <DiffView before={before?.lines ?? []} after={selected.lines} />
            {change.error !== undefined && <Problem error={change.error} />}
            <div class="row">
              {selected === newest ? (
                <Button
                  kind="primary"
                  icon="undo"
                  busy={change.busy}
                  onClick={() =>
                    void change.run(() => blockClient.undo(), `The last change of ${name} is undone.`)
                  }
                >
                  Undo this change
                </Button>
              ) : (
                <Button
                  kind="primary"
                  icon="undo"
                  busy={change.busy}
                  onClick={() =>
                    void change.run(
                      // If somebody changes the block meanwhile, they would not expect it to be as before.
                      () => blockClient.restore(selected.version, { ifMatch: `"${newest.version}"` }),
                      `${name} is as in version ${selected.version} again.`,
                    )
                  }
                >
                  Restore version {selected.version}
                </Button>
              )}
            </div>
          </div>
        </div>
      )}
    </Dialog>
  );
}

/** The pages that the agent had read before it wrote a version: where a planted memory would come from. */
function Sources({ version }: { readonly version: MemoryBlockVersion }) {
  const { sources = [] } = version;
  if (sources.length === 0) return null;
  return (
    <p class="muted">
      Before it wrote this, the agent had read:{" "}
      {sources.map(({ title, url }) => title ?? url ?? "a file").join(", ")}.
    </p>
  );
}
