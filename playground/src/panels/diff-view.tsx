import { counted } from "./formats.ts";
import { diffLines, diffWords, type ShownLine, shownLines } from "./line-diff.ts";

interface DiffViewProps {
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** Shows how lines have changed. In a line that replaces another one, the words that differ are marked. */
export function DiffView({ before, after }: DiffViewProps) {
  const lines = shownLines(diffLines(before, after));
  if (lines.length === 0) return <p class="muted">The block was empty before and after.</p>;
  return (
    <ol class="memory-diff">
      {lines.map((line, index) => (
        <li key={index} data-kind={line.kind}>
          {line.kind === "folded" ? (
            <span class="muted">{counted(line.count, "line")} unchanged</span>
          ) : (
            <DiffedLine line={line} />
          )}
        </li>
      ))}
    </ol>
  );
}

function DiffedLine({ line }: { readonly line: Exclude<ShownLine, { readonly kind: "folded" }> }) {
  const { kind, text, partner } = line;
  if (kind === "same") return <>{text}</>;
  const isAdded = kind === "added";
  const Tag = isAdded ? "ins" : "del";
  const words =
    partner === undefined ? undefined : isAdded ? diffWords(partner, text) : diffWords(text, partner);
  return (
    <Tag>
      <span class="visually-hidden">{isAdded ? "Added: " : "Removed: "}</span>
      {words === undefined
        ? text
        : words
            .filter((word) => word.kind === "same" || word.kind === kind)
            .map((word, index) => (word.kind === "same" ? word.text : <mark key={index}>{word.text}</mark>))}
    </Tag>
  );
}
