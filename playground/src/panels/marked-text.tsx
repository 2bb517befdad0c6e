import { useState } from "preact/hooks";
import { Button } from "../ui/index.ts";
import { excerptOf, markTerms } from "./search-marks.ts";

interface MarkedTextProps {
  readonly text: string;
  /** The words to mark. */
  readonly terms: readonly string[];
}

/** A found text with the words that were searched for. Of a long one, the part around the first of them, until all of it is wanted. */
export function MarkedText({ text, terms }: MarkedTextProps) {
  const [isWhole, setWhole] = useState(false);
  const excerpt = excerptOf(text, terms);
  const isCut = excerpt.isCutBefore || excerpt.isCutAfter;
  const shown = isWhole ? text : excerpt.text;
  return (
    <div class="archival-text">
      <p>
        {!isWhole && excerpt.isCutBefore && "… "}
        {markTerms(shown, terms).map((piece, index) =>
          piece.isMatch ? <mark key={index}>{piece.text}</mark> : piece.text,
        )}
        {!isWhole && excerpt.isCutAfter && " …"}
      </p>
      {isCut && (
        <Button kind="quiet" aria-expanded={isWhole} onClick={() => setWhole(!isWhole)}>
          {isWhole ? "Show less" : "Show all of it"}
        </Button>
      )}
    </div>
  );
}
