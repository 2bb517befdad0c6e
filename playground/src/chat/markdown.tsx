import { useMemo } from "preact/hooks";
import { CopyButton, Icon } from "../ui/index.ts";
import { parseMarkdown } from "./markdown-blocks.ts";
import { inlineElements, markdownElements, type MarkdownOptions } from "./markdown-elements.tsx";
import { parseInline } from "./markdown-inline.ts";
import "./markdown.css";

export interface MarkdownProps extends Pick<MarkdownOptions, "citations" | "onCitation"> {
  readonly text: string;
}

/** Shows what a model has written. */
export function Markdown({ text, ...options }: MarkdownProps) {
  const blocks = useMemo(() => parseMarkdown(text), [text]);
  const imageIcon = <Icon name="external" size={13} />;
  return <div class="markdown">{markdownElements(blocks, { ...options, CopyButton, imageIcon })}</div>;
}

/** Shows a sentence that has marks, such as a help text. */
export function MarkdownLine({ text }: { readonly text: string }) {
  return <>{inlineElements(parseInline(text))}</>;
}
