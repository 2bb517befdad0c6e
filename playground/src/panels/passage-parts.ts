/** A passage between its surroundings; a surrounding that is empty is `""`. */
export interface PassageParts {
  readonly before: string;
  readonly cited: string;
  readonly after: string;
}

/** Divides the text around a passage. If the text does not contain the passage word by word, the passage is all that is shown. */
export function passageParts(content: string, passage: string): PassageParts {
  const at = passage === "" ? -1 : content.indexOf(passage);
  if (at === -1) return { before: "", cited: passage === "" ? content : passage, after: "" };
  return {
    before: content.slice(0, at).trim(),
    cited: passage,
    after: content.slice(at + passage.length).trim(),
  };
}

/** Returns an address if a browser may follow it, as its text and not as its parsed form: text fragments must stay as they are. */
export function safeLink(url: string | null | undefined): string | undefined {
  if (url === null || url === undefined) return undefined;
  return /^https?:\/\//iu.test(url) && URL.canParse(url) ? url : undefined;
}
