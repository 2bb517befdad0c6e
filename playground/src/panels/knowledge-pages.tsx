import { useState } from "preact/hooks";
import type { KnowledgePage } from "../../../client/src/index.ts";
import { useAction, useLoad } from "../data.ts";
import { useClient } from "../session.tsx";
import { Button, Confirm, Dialog, Empty, IconButton, Problem, Skeleton, Time } from "../ui/index.ts";
import { counted } from "./formats.ts";
import { PageText } from "./page-text.tsx";
import { safeLink } from "./passage-parts.ts";
import { UploadZone } from "./upload-zone.tsx";
import "./passage.css";

interface KnowledgePagesProps {
  readonly kbId: string;
  readonly onChanged: () => void;
}

/** How many pages are requested at once. */
const PAGE = 25;

const titleOf = ({ title, file_name: fileName, url }: KnowledgePage): string =>
  title ?? fileName ?? url ?? "Untitled";

/** The pages and files of a knowledge base, and a place to drop more of them. */
export function KnowledgePages({ kbId, onChanged }: KnowledgePagesProps) {
  const client = useClient();
  const [read, setRead] = useState<KnowledgePage>();
  const [doomed, setDoomed] = useState<KnowledgePage>();
  const readPage = (signal?: AbortSignal, cursor?: string) =>
    client.request("GET", "/knowledge-bases/{kbId}/pages", {
      path: { kbId },
      query: { limit: PAGE, ...(cursor !== undefined && { cursor }) },
      ...(signal && { signal }),
    });
  const pages = useLoad(readPage, [client, kbId]);
  const more = useAction(async (cursor: string) => {
    const next = await readPage(undefined, cursor);
    pages.set({ ...next, items: [...(pages.data?.items ?? []), ...next.items] });
  });
  const reload = () => {
    pages.reload();
    onChanged();
  };
  const remove = async (pageId: string) => {
    await client.request("DELETE", "/knowledge-bases/{kbId}/pages/{pageId}", { path: { kbId, pageId } });
    reload();
  };

  const { data, error } = pages;
  return (
    <div class="stack">
      <UploadZone kbId={kbId} onUploaded={reload} />
      {error !== undefined && <Problem error={error} retry={pages.reload} />}
      {data === undefined && error === undefined && <Skeleton lines={4} />}
      {data?.items.length === 0 && (
        <Empty icon="knowledge" title="No pages yet">
          Drop files above, or crawl a site. Each file and each page of a site is a page here.
        </Empty>
      )}
      {data !== undefined && data.items.length > 0 && (
        <ul class="list">
          {data.items.map((page) => (
            <li key={page.page_id} class="list-row">
              <span class="knowledge-page">
                <button type="button" class="knowledge-open" onClick={() => setRead(page)}>
                  {titleOf(page)}
                </button>
                <span class="muted">
                  {page.file_name ?? <PageLink url={page.url} />} · {counted(page.word_count, "word")} ·{" "}
                  <Time at={page.updated_at} />
                </span>
              </span>
              <IconButton icon="trash" label={`Delete ${titleOf(page)}`} onClick={() => setDoomed(page)} />
            </li>
          ))}
        </ul>
      )}
      {data?.next_cursor && (
        <Button kind="quiet" busy={more.busy} onClick={() => void more.run(data.next_cursor ?? "")}>
          Show more
        </Button>
      )}
      {more.error !== undefined && <Problem error={more.error} />}
      {read && (
        <Dialog title={titleOf(read)} wide onClose={() => setRead(undefined)}>
          <PageText kbId={kbId} pageId={read.page_id} />
        </Dialog>
      )}
      {doomed && (
        <Confirm
          title={`Delete ${titleOf(doomed)}?`}
          confirmLabel="Delete page"
          onConfirm={() => remove(doomed.page_id)}
          onClose={() => setDoomed(undefined)}
        >
          Agents don’t find it any more. A crawl that finds the page again stores it again.
        </Confirm>
      )}
    </div>
  );
}

function PageLink({ url }: { readonly url: string | null }) {
  const link = safeLink(url);
  if (link === undefined) return <>{url}</>;
  return (
    <a href={link} target="_blank" rel="noopener noreferrer">
      {link}
    </a>
  );
}
