import type { ComponentChildren, ComponentType, VNode } from "preact";
import type { Citation } from "../types.ts";
import type { Block } from "./markdown-blocks.ts";
import type { Inline } from "./markdown-inline.ts";

/** What the elements of a document may have beside its text. */
export interface MarkdownOptions {
  /** What the numbers in brackets stand for. Others are text. */
  readonly citations?: readonly Citation[] | undefined;
  readonly onCitation?: ((citation: Citation) => void) | undefined;
  /** A button that copies a block of code. */
  readonly CopyButton?: ComponentType<{ readonly text: string; readonly label: string }> | undefined;
  /** Stands before the link to an image. */
  readonly imageIcon?: VNode;
}

interface Context extends MarkdownOptions {
  /** The rank of each heading among those of the page. */
  readonly ranks: ReadonlyMap<Block, number>;
}

/**
 * Returns the elements of a document that a model has written. Threat: the text may have been written by somebody else, through a
 * document or a web page. It becomes elements one by one and never HTML, loads nothing, and its links lead to web pages and e-mail
 * only.
 */
export function markdownElements(blocks: readonly Block[], options: MarkdownOptions): readonly VNode[] {
  const context = { ...options, ranks: ranksOf(blocks) };
  return blocks.map((block, index) => renderBlock(block, index, context));
}

/** Returns the elements of a sentence that has marks. */
export const inlineElements = (pieces: readonly Inline[]): ComponentChildren =>
  renderInline(pieces, { ranks: new Map() });

/**
 * Returns the ranks of a document's headings below that of the page. None is more than one below the heading before it, whatever
 * levels the model has chosen, because screen readers lead people through them as an outline.
 */
function ranksOf(blocks: readonly Block[]): ReadonlyMap<Block, number> {
  const headings = headingsIn(blocks);
  const levels = [...new Set(headings.map(({ level }) => level))].toSorted((a, b) => a - b);
  const ranks = new Map<Block, number>();
  let before = 1;
  for (const heading of headings) {
    before = Math.min(levels.indexOf(heading.level) + 2, before + 1, 6);
    ranks.set(heading, before);
  }
  return ranks;
}

const headingsIn = (blocks: readonly Block[]): readonly Extract<Block, { type: "heading" }>[] =>
  blocks.flatMap((block) => {
    if (block.type === "heading") return [block];
    if (block.type === "quote") return headingsIn(block.blocks);
    return block.type === "list" ? block.items.flatMap(headingsIn) : [];
  });

const HEADINGS = ["h1", "h2", "h3", "h4", "h5", "h6"] as const;

function renderBlock(block: Block, key: number, context: Context): VNode {
  switch (block.type) {
    case "paragraph":
      return <p key={key}>{renderInline(block.inline, context)}</p>;
    case "heading": {
      const Tag = HEADINGS[(context.ranks.get(block) ?? 6) - 1] ?? "h6";
      return (
        <Tag key={key} data-level={block.level}>
          {renderInline(block.inline, context)}
        </Tag>
      );
    }
    case "code":
      return (
        <CodeBlock key={key} language={block.language} text={block.text} CopyButton={context.CopyButton} />
      );
    case "quote":
      return (
        <blockquote key={key}>
          {block.blocks.map((inner, index) => renderBlock(inner, index, context))}
        </blockquote>
      );
    case "list": {
      const items = block.items.map((item, index) => <li key={index}>{renderItem(item, context)}</li>);
      return block.start === undefined ? (
        <ul key={key}>{items}</ul>
      ) : (
        <ol key={key} start={block.start}>
          {items}
        </ol>
      );
    }
    case "table":
      return <Table key={key} table={block} context={context} />;
    case "rule":
      return <hr key={key} />;
  }
}

/** The items of most lists are one line each, without the space around a paragraph. */
function renderItem(blocks: readonly Block[], context: Context): ComponentChildren {
  return blocks.map((block, index) =>
    block.type === "paragraph" && index === 0 ? (
      <span key={index} class="markdown-item">
        {renderInline(block.inline, context)}
      </span>
    ) : (
      renderBlock(block, index, context)
    ),
  );
}

interface CodeBlockProps extends Pick<Context, "CopyButton"> {
  readonly language: string;
  readonly text: string;
}

function CodeBlock({ language, text, CopyButton }: CodeBlockProps) {
  return (
    <figure class="code-block">
      <figcaption class="code-block-head">
        <span>{language || "text"}</span>
        {CopyButton && <CopyButton text={text} label="Copy the code" />}
      </figcaption>
      <pre tabIndex={0}>
        <code>{text}</code>
      </pre>
    </figure>
  );
}

function Table({
  table,
  context,
}: {
  readonly table: Extract<Block, { type: "table" }>;
  readonly context: Context;
}) {
  return (
    <div class="markdown-table" tabIndex={0} role="group" aria-label="Table">
      <table>
        <thead>
          <tr>
            {table.header.map((cell, index) => (
              <th key={index} scope="col" data-align={table.alignments[index]}>
                {renderInline(cell, context)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.map((row, index) => (
            <tr key={index}>
              {row.map((cell, column) => (
                <td key={column} data-align={table.alignments[column]}>
                  {renderInline(cell, context)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function renderInline(pieces: readonly Inline[], context: Context): ComponentChildren {
  return pieces.map((piece, key) => {
    switch (piece.type) {
      case "text":
        return piece.text;
      case "break":
        return <br key={key} />;
      case "code":
        return <code key={key}>{piece.text}</code>;
      case "strong":
        return <strong key={key}>{renderInline(piece.children, context)}</strong>;
      case "emphasis":
        return <em key={key}>{renderInline(piece.children, context)}</em>;
      case "deleted":
        return <del key={key}>{renderInline(piece.children, context)}</del>;
      case "link":
        return (
          <OutsideLink key={key} url={piece.url}>
            {renderInline(piece.children, context)}
          </OutsideLink>
        );
      case "image":
        return (
          <OutsideLink key={key} url={piece.url}>
            <span class="markdown-image">
              {context.imageIcon} image: {piece.text || piece.url}
            </span>
          </OutsideLink>
        );
      case "reference":
        return <Reference key={key} number={piece.number} context={context} />;
    }
  });
}

function OutsideLink({ url, children }: { readonly url: string; readonly children: ComponentChildren }) {
  return (
    <a href={url} target="_blank" rel="noopener noreferrer nofollow ugc" title={url}>
      {children}
    </a>
  );
}

function Reference({ number, context }: { readonly number: number; readonly context: Context }) {
  const { onCitation } = context;
  const citation = context.citations?.find(({ n }) => n === number);
  if (!citation || !onCitation) return <>[{number}]</>;
  const source = citation.title ?? citation.url ?? "a document";
  return (
    <button
      type="button"
      class="citation"
      title={source}
      aria-label={`Source ${number}: ${source}`}
      onClick={() => onCitation(citation)}
    >
      {number}
    </button>
  );
}
