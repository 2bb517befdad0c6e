import * as z from "zod";
import { type KnowledgeBaseId, knowledgeBaseIdOf, type PageId, pageIdOf } from "../shared/id-types.ts";
import { count, maps, optionalText, text } from "../table/fields.ts";
import type { Item } from "../table/marshal.ts";

/** A page of a knowledge base that an agent has read, and what it said is from. */
export interface KnowledgeSource {
  readonly kbId: KnowledgeBaseId;
  readonly pageId: PageId;
  /** Null for an uploaded file. */
  readonly url: string | null;
  readonly title: string | null;
}

/** A passage that an agent has read, with the number by which its answer refers to it: `[1]`. */
export interface Citation extends KnowledgeSource {
  readonly n: number;
  /** The nearest heading above the passage. */
  readonly heading: string | null;
  readonly passageId: string;
}

/** The longest title and heading, in characters. */
const MAX_TITLE_CHARS = 200;
/** Longer addresses are left out, because a part of one leads nowhere. */
const MAX_URL_CHARS = 2_048;

/** Returns a source in the form in which items, events and responses have it, with bounded texts. */
const sourceAttributes = ({ kbId, pageId, url, title }: KnowledgeSource) => ({
  kb_id: kbId,
  page_id: pageId,
  url: url !== null && url.length <= MAX_URL_CHARS ? url : null,
  title: bounded(title),
});

/** A citation in events and responses. */
export const CitationView = z
  .object({
    n: z.number(),
    kb_id: z.string(),
    page_id: z.string(),
    url: z.string().nullable(),
    title: z.string().nullable(),
    heading: z.string().nullable(),
    passage_id: z.string(),
  })
  .meta({ id: "Citation" });

export const toCitationView = (citation: Citation): z.infer<typeof CitationView> => ({
  n: citation.n,
  ...sourceAttributes(citation),
  heading: bounded(citation.heading),
  passage_id: citation.passageId,
});

/** The sources of a memory in responses. */
export const SourcesView = z
  .array(
    z
      .object({
        kb_id: z.string(),
        page_id: z.string(),
        url: z.string().nullable(),
        title: z.string().nullable(),
      })
      .meta({ id: "KnowledgeSource" }),
  )
  .optional();

/** Returns the sources of a memory as a field of a response or an attribute of an item; nothing if there are none. */
export const sourcesField = (sources: readonly KnowledgeSource[] = []) =>
  sources.length > 0 ? { sources: sources.map(sourceAttributes) } : {};

/** Returns the citations that an item stores. Older messages have none. */
export const citationsFrom = (item: Item): readonly Citation[] =>
  maps(item, "citations").map((stored) => ({
    n: count(stored, "n"),
    ...sourceFrom(stored),
    heading: optionalText(stored, "heading"),
    passageId: text(stored, "passage_id"),
  }));

/** Returns the sources that an item stores. */
export const sourcesFrom = (item: Item): readonly KnowledgeSource[] => maps(item, "sources").map(sourceFrom);

const sourceFrom = (stored: Item): KnowledgeSource => ({
  kbId: knowledgeBaseIdOf(text(stored, "kb_id")),
  pageId: pageIdOf(text(stored, "page_id")),
  url: optionalText(stored, "url"),
  title: optionalText(stored, "title"),
});

/** References in an answer: `[1]`, `[1, 2]`, `【3】`. Bounded, so that the search is linear. */
const REFERENCE = /[[【]((?:\d{1,4}[,;\s]{0,3}){1,20})[\]】]/gu;

/** Returns the citations that an answer refers to, each once, in the order of their numbers. */
export function citationsIn(answer: string, citations: readonly Citation[]): readonly Citation[] {
  const named = new Set(
    [...answer.matchAll(REFERENCE)].flatMap(([, numbers = ""]) => (numbers.match(/\d+/gu) ?? []).map(Number)),
  );
  const byNumber = new Map(citations.map((citation) => [citation.n, citation]));
  return [...byNumber.values()].filter(({ n }) => named.has(n)).toSorted((a, b) => a.n - b.n);
}

const bounded = (text: string | null): string | null =>
  text === null ? null : text.slice(0, MAX_TITLE_CHARS).toWellFormed();
