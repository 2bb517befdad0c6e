import { relativeScores } from "../search/relative-scores.ts";
import type { SearchEvidence } from "../search/model.ts";
import type { PassageHit } from "../search/passage-model.ts";
import { AppError } from "../shared/errors.ts";
import type { AccountEmail, KnowledgeBaseId } from "../shared/id-types.ts";
import type { DocumentIndexes, DocumentSearchAnswer, IndexingState, SoughtPassages } from "./search-model.ts";

/** A result, and the knowledge base that it is from. Its score is relative to the best one, which has 1. */
export interface KnowledgeHit extends PassageHit {
  readonly kbId: KnowledgeBaseId;
}

/** The best results of a search in one or several knowledge bases. */
export interface KnowledgeAnswer {
  readonly hits: readonly KnowledgeHit[];
  /** The number of results that a larger limit would return. */
  readonly total: number;
  readonly evidence: SearchEvidence;
  /** As in `DocumentSearchAnswer`; and `base-unavailable` and `base-gone` if a base could not be searched. */
  readonly notes: readonly string[];
  /** How far the bases are indexed that are not yet, taken together; null if all are. */
  readonly indexing: IndexingState | null;
}

interface BaseAnswer {
  readonly kbId: KnowledgeBaseId;
  readonly answer: DocumentSearchAnswer;
}

/** The least that the best result of a base counts. Results by meaning have no words of the question. */
const LEAST_WORTH = 0.2;

/**
 * Searches several knowledge bases at once and merges the results. Throws if none of them can be searched; otherwise, a base that
 * fails only adds a note. `timeoutMs` is how long a base may take.
 */
export async function searchBases(
  indexes: Pick<DocumentIndexes, "search">,
  {
    accountEmail,
    kbIds,
  }: { readonly accountEmail: AccountEmail; readonly kbIds: readonly KnowledgeBaseId[] },
  sought: SoughtPassages,
  limit: number,
  timeoutMs?: number,
): Promise<KnowledgeAnswer> {
  const isCompared = kbIds.length > 1;
  const settled = await Promise.allSettled(
    kbIds.map(async (kbId) => {
      const answer = await indexes.search({ accountEmail, kbId, ...sought, limit, isCompared }, timeoutMs);
      return { kbId, answer };
    }),
  );
  const answers = settled.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  const failures = settled.flatMap((outcome) =>
    outcome.status === "rejected" ? [AppError.from(outcome.reason)] : [],
  );
  const [failure] = failures;
  if (failure && answers.length === 0) throw failure;

  for (const error of failures)
    if (error.status >= 500)
      console.warn({ message: "A knowledge base was not searched.", error: String(error) });
  return merged(answers, limit, failures);
}

function merged(
  answers: readonly BaseAnswer[],
  limit: number,
  failures: readonly AppError[],
): KnowledgeAnswer {
  const worthOf = worthsOf(answers.map(({ answer }) => answer));
  const ranked = answers.flatMap(({ kbId, answer }) => {
    const best = answer.hits[0]?.score ?? 0;
    const worth = worthOf(answer);
    // A query without words has no scores: all of its results are equally good.
    return answer.hits.map((hit) => ({ ...hit, kbId, score: (best > 0 ? hit.score / best : 1) * worth }));
  });
  const hits = ranked.toSorted((a, b) => b.score - a.score).slice(0, limit);
  const total = answers.reduce((sum, { answer }) => sum + answer.total, 0);
  return {
    hits: relativeScores(hits, hits[0]?.score ?? 0),
    total,
    evidence: mergedEvidence(answers.map(({ answer }) => answer.evidence)),
    notes: mergedNotes(answers, total, failures),
    indexing: mergedIndexing(answers),
  };
}

/** Returns how far the bases that are being indexed are, taken together. */
function mergedIndexing(answers: readonly BaseAnswer[]): IndexingState | null {
  const states = answers.flatMap(({ answer }) => answer.indexing ?? []);
  if (states.length === 0) return null;
  return {
    indexedPages: states.reduce((sum, { indexedPages }) => sum + indexedPages, 0),
    totalPages: states.reduce((sum, { totalPages }) => sum + totalPages, 0),
  };
}

/**
 * Returns a function that says what the best result of a base is worth, from `LEAST_WORTH` to 1: the share of a question's words
 * that it has. A word weighs more the fewer passages of all bases together have it. The scores of different bases can't be compared
 * without this, because they depend on how often words are used in each base: in a base of one page, no word is rare.
 */
function worthsOf(answers: readonly DocumentSearchAnswer[]): (answer: DocumentSearchAnswer) => number {
  const passages = answers.reduce((sum, { evidence }) => sum + evidence.considered, 0);
  const uses = new Map<string, number>();
  for (const { match, passages: using } of answers.flatMap((answer) => answer.uses))
    uses.set(match, (uses.get(match) ?? 0) + using);
  const weightOf = (match: string) => {
    const using = uses.get(match) ?? 0;
    return Math.log(1 + (passages - using + 0.5) / (using + 0.5));
  };

  return ({ uses: terms, hits }) => {
    if (terms.length === 0) return 1;
    const shares = [...Map.groupBy(terms, ({ question }) => question).values()].flatMap((ofQuestion) => {
      const all = ofQuestion.reduce((sum, { match }) => sum + weightOf(match), 0);
      return hits.map((_, at) => {
        const found = ofQuestion.filter((term) => term.hits.includes(at));
        return found.reduce((sum, { match }) => sum + weightOf(match), 0) / all;
      });
    });
    return Math.max(LEAST_WORTH, ...shares);
  };
}

function mergedEvidence(all: readonly SearchEvidence[]): SearchEvidence {
  const matched = new Set(all.flatMap(({ matchedTerms }) => matchedTerms));
  const missing = new Set(all.flatMap(({ missingTerms }) => missingTerms));
  return {
    matchedTerms: [...matched],
    missingTerms: [...missing].filter((term) => !matched.has(term)),
    considered: all.reduce((sum, { considered }) => sum + considered, 0),
    newestAt: null,
  };
}

/** Returns the notes of all bases. That one base has nothing is no news if another one has something. */
function mergedNotes(
  answers: readonly BaseAnswer[],
  total: number,
  failures: readonly AppError[],
): readonly string[] {
  const notes = new Set(answers.flatMap(({ answer }) => answer.notes));
  if (total > 0) for (const empty of ["nothing-stored", "nothing-matched"]) notes.delete(empty);
  if (notes.has("nothing-matched")) notes.delete("nothing-stored");
  for (const { code } of failures) notes.add(code === "not-found" ? "base-gone" : "base-unavailable");
  return [...notes];
}
