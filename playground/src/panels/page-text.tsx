import { useState } from "preact/hooks";
import { Markdown } from "../chat/markdown.tsx";
import { useAction, useLoad } from "../data.ts";
import { useClient } from "../session.tsx";
import { Button, Problem, Skeleton } from "../ui/index.ts";
import { counted } from "./formats.ts";

interface PageTextProps {
  readonly kbId: string;
  readonly pageId: string;
}

/** How many characters of a page are requested at once. */
const PART = 20_000;

/** The text of a page of a knowledge base, part by part. */
export function PageText({ kbId, pageId }: PageTextProps) {
  const client = useClient();
  const [parts, setParts] = useState<readonly string[]>([]);
  const [nextFrom, setNextFrom] = useState<number | null>(null);
  const readPart = (from: number, signal?: AbortSignal) =>
    client.request("GET", "/knowledge-bases/{kbId}/pages/{pageId}", {
      path: { kbId, pageId },
      query: { from, max_chars: PART },
      ...(signal && { signal }),
    });
  const first = useLoad(
    async (signal) => {
      const page = await readPart(0, signal);
      setParts([page.markdown]);
      setNextFrom(page.next_from);
      return page;
    },
    [client, kbId, pageId],
  );
  const more = useAction(async (from: number) => {
    const page = await readPart(from);
    setParts((known) => [...known, page.markdown]);
    setNextFrom(page.next_from);
  });
  if (first.error !== undefined) return <Problem error={first.error} retry={first.reload} />;
  if (first.data === undefined) return <Skeleton lines={8} />;
  return (
    <div class="stack passage-page" tabIndex={0} role="region" aria-label="Text of the page">
      <p class="muted">{counted(first.data.word_count, "word")}</p>
      {/* One text, so that a list or a code block that goes over two parts stays whole. */}
      <Markdown text={parts.join("")} />
      {nextFrom !== null && (
        <Button kind="quiet" busy={more.busy} onClick={() => void more.run(nextFrom)}>
          Read on
        </Button>
      )}
      {more.error !== undefined && <Problem error={more.error} />}
    </div>
  );
}
