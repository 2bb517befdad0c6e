import { useState } from "preact/hooks";
import type { KnowledgeBase } from "../../../client/src/index.ts";
import { bus } from "../bus.ts";
import { useAction, useLoad } from "../data.ts";
import { href, navigate } from "../router.ts";
import { useClient } from "../session.tsx";
import {
  Button,
  Confirm,
  Dialog,
  Field,
  fieldErrors,
  Problem,
  Skeleton,
  Tabs,
  TextArea,
  TextInput,
  toast,
} from "../ui/index.ts";
import { CrawlTab } from "./crawl-tab.tsx";
import { counted } from "./formats.ts";
import { KnowledgePages } from "./knowledge-pages.tsx";
import { KnowledgeSearchTab } from "./knowledge-search.tsx";

/** How many requests a click on "Delete" may take. */
const MAX_DELETION_STEPS = 1_000;

/** A knowledge base: its pages and uploads, its crawls, and a search to try it with. */
export function KnowledgeBaseScreen({ kbId }: { readonly kbId: string }) {
  const client = useClient();
  const [open, setOpen] = useState<"settings" | "deletion">();
  const [tab, setTab] = useState("pages");
  const base = useLoad(
    (signal) => client.exchange("GET", "/knowledge-bases/{kbId}", { path: { kbId }, signal }),
    [client, kbId],
  );
  const remove = async () => {
    // A large one is deleted in steps. It is invisible from the first of them on.
    let isGone = false;
    for (let step = 0; step < MAX_DELETION_STEPS && !isGone; step += 1)
      isGone = await client.knowledgeBases(kbId).delete();
    if (!isGone) throw new Error("Not all of its pages are removed yet. Delete it again to continue.");
    bus.emit({ type: "knowledge-changed" });
    toast("The knowledge base is deleted.");
    navigate("knowledge");
  };
  const onChanged = () => {
    base.reload();
    bus.emit({ type: "knowledge-changed" });
  };

  const data = base.data?.data;
  return (
    <div class="page">
      <p>
        <a href={href("knowledge")}>All knowledge bases</a>
      </p>
      {base.error !== undefined && <Problem error={base.error} retry={base.reload} />}
      {data === undefined && base.error === undefined && <Skeleton lines={6} />}
      {data && (
        <>
          <div class="page-head">
            <div>
              <h1>{data.name}</h1>
              {data.description && <p class="muted">{data.description}</p>}
              <p class="muted">
                {counted(data.total_pages, "page")}, {counted(data.total_chunks, "passage")}
              </p>
            </div>
            <div class="row">
              <Button icon="gear" onClick={() => setOpen("settings")}>
                Rename
              </Button>
              <Button kind="danger" icon="trash" onClick={() => setOpen("deletion")}>
                Delete
              </Button>
            </div>
          </div>
          <Tabs
            label="Parts of the knowledge base"
            tabs={[
              { id: "pages", label: "Pages and files" },
              { id: "crawls", label: "Crawls" },
              { id: "search", label: "Search" },
            ]}
            selected={tab}
            onSelect={setTab}
          >
            {tab === "pages" && <KnowledgePages kbId={kbId} onChanged={onChanged} />}
            {tab === "crawls" && <CrawlTab kbId={kbId} onChanged={onChanged} />}
            {tab === "search" && <KnowledgeSearchTab kbId={kbId} />}
          </Tabs>
          {open === "settings" && (
            <RenameDialog
              base={data}
              tag={base.data?.headers.get("etag") ?? null}
              onClose={() => setOpen(undefined)}
              onSaved={onChanged}
            />
          )}
          {open === "deletion" && (
            <Confirm
              title={`Delete ${data.name}?`}
              confirmLabel="Delete knowledge base"
              onConfirm={remove}
              onClose={() => setOpen(undefined)}
            >
              Its {counted(data.total_pages, "page")}, crawls and links to agents are removed.
            </Confirm>
          )}
        </>
      )}
    </div>
  );
}

interface RenameDialogProps {
  readonly base: KnowledgeBase;
  /** The entity tag of what is shown, so that no other change is overwritten. */
  readonly tag: string | null;
  readonly onClose: () => void;
  readonly onSaved: () => void;
}

function RenameDialog({ base, tag, onClose, onSaved }: RenameDialogProps) {
  const client = useClient();
  const [name, setName] = useState(base.name);
  const [description, setDescription] = useState(base.description ?? "");
  const save = useAction(async () => {
    await client.request("PATCH", "/knowledge-bases/{kbId}", {
      path: { kbId: base.kb_id },
      body: { name, description },
      ...(tag !== null && { headers: { "If-Match": tag } }),
    });
    onSaved();
    onClose();
  });
  const errors = fieldErrors(save.error);
  const isAtField = errors["name"] !== undefined || errors["description"] !== undefined;
  return (
    <Dialog title={`Rename ${base.name}`} onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void save.run();
        }}
      >
        <Field label="Name" error={errors["name"]}>
          {(ids) => <TextInput {...ids} autofocus required maxLength={200} value={name} onValue={setName} />}
        </Field>
        <Field
          label="Description"
          help="Agents read it to decide whether to search here."
          error={errors["description"]}
        >
          {(ids) => (
            <TextArea {...ids} rows={3} maxLength={2000} value={description} onValue={setDescription} />
          )}
        </Field>
        {save.error !== undefined && !isAtField && <Problem error={save.error} />}
        <div class="row">
          <Button type="submit" kind="primary" busy={save.busy}>
            Save
          </Button>
          <Button kind="quiet" onClick={onClose}>
            Cancel
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
