import { useState } from "preact/hooks";
import type { FoundPassages } from "../../../client/src/index.ts";
import { bus } from "../bus.ts";
import { useAction } from "../data.ts";
import { useClient } from "../session.tsx";
import { Button, Empty, Field, fieldErrors, Problem, TextInput } from "../ui/index.ts";
import { counted } from "./formats.ts";
import { MarkedText } from "./marked-text.tsx";
import { noteSentences } from "./search-marks.ts";

/** Searches a knowledge base as its agents do. */
export function KnowledgeSearchTab({ kbId }: { readonly kbId: string }) {
  const client = useClient();
  const [query, setQuery] = useState("");
  const [found, setFound] = useState<FoundPassages>();
  const search = useAction(async (cursor?: string) => {
    const next = await client.request("POST", "/knowledge-bases/{kbId}/search", {
      path: { kbId },
      body: {
        query: cursor === undefined ? query : (found?.query ?? query),
        ...(cursor !== undefined && { cursor }),
      },
    });
    setFound((known) =>
      cursor === undefined || known === undefined
        ? next
        : { ...known, results: [...known.results, ...next.results], next_cursor: next.next_cursor },
    );
  });
  const terms = found?.evidence?.matched_terms ?? [];
  const atField = fieldErrors(search.error)["query"];
  return (
    <div class="stack">
      <form
        class="row knowledge-search"
        role="search"
        aria-label="This knowledge base"
        onSubmit={(event) => {
          event.preventDefault();
          void search.run();
        }}
      >
        <Field label="Question" help="What an agent would look up." error={atField}>
          {(ids) => (
            <TextInput {...ids} type="search" required maxLength={1000} value={query} onValue={setQuery} />
          )}
        </Field>
        <Button type="submit" kind="primary" icon="search" busy={search.busy}>
          Search
        </Button>
      </form>
      {search.error !== undefined && atField === undefined && <Problem error={search.error} />}
      <div class="stack" aria-live="polite">
        {found && (
          <p class="muted">
            {counted(found.total, "passage")} for “{found.query}”
          </p>
        )}
        {noteSentences(found?.notes ?? []).map((sentence) => (
          <p key={sentence} class="muted">
            {sentence}
          </p>
        ))}
        {found?.results.length === 0 && (
          <Empty icon="search" title="Nothing found">
            No passage has any of these words. Try others, or add pages about it.
          </Empty>
        )}
        <ol class="knowledge-hits">
          {found?.results.map((hit, index) => (
            <li key={hit.passage_id} class="card knowledge-hit">
              <button
                type="button"
                class="knowledge-open"
                onClick={() =>
                  bus.emit({
                    type: "open-passage",
                    citation: {
                      n: index + 1,
                      kb_id: hit.kb_id,
                      page_id: hit.page_id,
                      url: hit.source_url,
                      title: hit.page_title,
                      heading: hit.heading,
                      passage_id: hit.passage_id,
                    },
                  })
                }
              >
                {hit.page_title ?? hit.source_url ?? "An uploaded file"}
              </button>
              {hit.heading !== null && hit.heading !== hit.page_title && <p class="muted">{hit.heading}</p>}
              <MarkedText text={hit.content} terms={terms} />
            </li>
          ))}
        </ol>
        {found?.next_cursor && (
          <Button kind="quiet" busy={search.busy} onClick={() => void search.run(found.next_cursor ?? "")}>
            Show more
          </Button>
        )}
      </div>
    </div>
  );
}
