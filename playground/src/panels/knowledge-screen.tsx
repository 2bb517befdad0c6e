import { useState } from "preact/hooks";
import type { KnowledgeBase, NewKnowledgeBase } from "../../../client/src/index.ts";
import { bus } from "../bus.ts";
import { useLoad } from "../data.ts";
import { SchemaForm } from "../forms/schema-form.tsx";
import { href, navigate } from "../router.ts";
import { useClient } from "../session.tsx";
import { Button, Dialog, Empty, Problem, Skeleton } from "../ui/index.ts";
import { counted } from "./formats.ts";
import { KnowledgeBaseScreen } from "./knowledge-base-screen.tsx";
import "./knowledge.css";

/** The knowledge bases of the account, or one of them: `path` is what stands behind `#/knowledge`. */
export function KnowledgeScreen({ path }: { readonly path: readonly string[] }) {
  const [kbId] = path;
  return kbId === undefined || kbId === "" ? (
    <KnowledgeList />
  ) : (
    <KnowledgeBaseScreen key={kbId} kbId={kbId} />
  );
}

function KnowledgeList() {
  const client = useClient();
  const [isCreating, setCreating] = useState(false);
  const { data, error, reload } = useLoad(
    (signal) => client.request("GET", "/knowledge-bases", { signal }),
    [client],
  );
  const create = (
    <Button kind="primary" icon="plus" onClick={() => setCreating(true)}>
      New knowledge base
    </Button>
  );
  return (
    <div class="page">
      <div class="page-head">
        <h1>Knowledge</h1>
        {data !== undefined && data.length > 0 && create}
      </div>
      {error !== undefined && <Problem error={error} retry={reload} />}
      {data === undefined && error === undefined && <Skeleton lines={4} />}
      {data?.length === 0 && (
        <Empty icon="knowledge" title="Give your agents something to read" action={create}>
          A knowledge base holds files that you upload and pages of sites that are crawled. Agents that are
          linked to it search it and say where they have read what they answer.
        </Empty>
      )}
      {data !== undefined && data.length > 0 && (
        <ul class="knowledge-list">
          {data.map((base) => (
            <BaseRow key={base.kb_id} base={base} />
          ))}
        </ul>
      )}
      {isCreating && <CreationDialog onClose={() => setCreating(false)} />}
    </div>
  );
}

function BaseRow({ base }: { readonly base: KnowledgeBase }) {
  return (
    <li>
      <a class="card knowledge-row" href={href("knowledge", base.kb_id)}>
        <strong>{base.name}</strong>
        {base.description && <span class="muted">{base.description}</span>}
        <span class="muted">
          {counted(base.total_pages, "page")}, {counted(base.total_chunks, "passage")}
        </span>
      </a>
    </li>
  );
}

function CreationDialog({ onClose }: { readonly onClose: () => void }) {
  const client = useClient();
  const form = useLoad(
    (signal) => client.request("GET", "/knowledge-bases/create-schema", { signal }),
    [client],
  );
  return (
    <Dialog title="New knowledge base" onClose={onClose}>
      {form.error !== undefined && <Problem error={form.error} retry={form.reload} />}
      {form.data === undefined && form.error === undefined && <Skeleton lines={4} />}
      {form.data && (
        <SchemaForm
          form={form.data}
          submitLabel="Create knowledge base"
          onSubmit={async (values) => {
            // The form names the members of the body, and the service checks them.
            const created = await client.knowledgeBases.create(values as unknown as NewKnowledgeBase);
            bus.emit({ type: "knowledge-changed" });
            onClose();
            navigate("knowledge", created.kb_id);
          }}
        />
      )}
    </Dialog>
  );
}
