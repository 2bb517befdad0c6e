import { useState } from "preact/hooks";
import { ApiError, type Citation, type Passage } from "../../../client/src/index.ts";
import { useBus } from "../bus.ts";
import { Markdown } from "../chat/markdown.tsx";
import { useLoad } from "../data.ts";
import { useClient } from "../session.tsx";
import { Button, Dialog, Problem, Skeleton } from "../ui/index.ts";
import { PageText } from "./page-text.tsx";
import { passageParts, safeLink } from "./passage-parts.ts";
import "./passage.css";

/** Opens the passage of a citation, wherever in the application it was clicked. Mounted once. */
export function PassageOverlay() {
  const [citation, setCitation] = useState<Citation>();
  useBus("open-passage", (event) => setCitation(event.citation));
  if (citation === undefined) return null;
  return (
    <PassageDialog key={citation.passage_id} citation={citation} onClose={() => setCitation(undefined)} />
  );
}

interface PassageDialogProps {
  readonly citation: Citation;
  readonly onClose: () => void;
}

function PassageDialog({ citation, onClose }: PassageDialogProps) {
  const client = useClient();
  const [isWhole, setWhole] = useState(false);
  const { kb_id: kbId, page_id: pageId, passage_id: passageId } = citation;
  const { data, error, reload } = useLoad(
    (signal) =>
      client.request("GET", "/knowledge-bases/{kbId}/passages/{passageId}", {
        path: { kbId, passageId },
        signal,
      }),
    [client, kbId, passageId],
  );
  const isGone = error instanceof ApiError && error.code === "not-found";
  const link = safeLink(data?.citation_url ?? citation.url);
  return (
    <Dialog title={citation.title ?? citation.url ?? "An uploaded file"} wide onClose={onClose}>
      <div class="stack passage">
        {isWhole ? (
          <PageText kbId={kbId} pageId={pageId} />
        ) : (
          <>
            {error !== undefined && !isGone && <Problem error={error} retry={reload} />}
            {isGone && (
              <p role="alert">
                The page has changed since the agent read it, so this passage does not exist any more. You can
                read the page as it is now.
              </p>
            )}
            {data === undefined && error === undefined && <Skeleton lines={5} />}
            {data && <PassageText passage={data} />}
          </>
        )}
        <div class="row">
          <Button kind="quiet" icon="knowledge" onClick={() => setWhole(!isWhole)}>
            {isWhole ? "Show the passage" : "Read the whole page"}
          </Button>
          {link !== undefined && (
            <a href={link} target="_blank" rel="noopener noreferrer">
              Open the page at its place
            </a>
          )}
        </div>
      </div>
    </Dialog>
  );
}

/** A passage between its surroundings. */
function PassageText({ passage }: { readonly passage: Passage }) {
  const { before, cited, after } = passageParts(passage.content, passage.passage);
  return (
    <>
      {passage.headings.length > 0 && <p class="muted">{passage.headings.join(" › ")}</p>}
      {before !== "" && (
        <div class="muted">
          <Markdown text={before} />
        </div>
      )}
      <blockquote class="passage-cited" aria-label="The cited passage">
        <Markdown text={cited} />
      </blockquote>
      {after !== "" && (
        <div class="muted">
          <Markdown text={after} />
        </div>
      )}
    </>
  );
}
