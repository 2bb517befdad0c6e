import type { KnowledgeBaseRef } from "../knowledge/model.ts";
import type { FullPage } from "../knowledge/page-model.ts";
import { isPagePart, packedIn, pageIdIn } from "../knowledge/stored-page-model.ts";
import type { Clock } from "../shared/clock.ts";
import { toBase64 } from "../shared/crypto.ts";
import { AppError } from "../shared/errors.ts";
import { gunzip } from "../shared/gzip.ts";
import { type AccountEmail, knowledgeBaseIdOf, type PageId } from "../shared/id-types.ts";
import { keyOf } from "../table/fields.ts";
import { KNOWLEDGE_BASE_PREFIX } from "../table/keys.ts";
import type { Item } from "../table/marshal.ts";
import { type ExportLine, KNOWLEDGE_PAGE, toExportLine } from "./export-view.ts";
import type { AccountItems } from "./repository.ts";

/** Version 1 had the attributes of the table. */
const VERSION = 2;
/** The length from which a batch is sent, in characters. Anti-DoS: one page of a knowledge base may have ten million of them. */
const BATCH_CHARS = 1_000_000;

/** Reads the pages of knowledge bases whose text is in several items. */
export interface ExportPages {
  find(base: KnowledgeBaseRef, pageId: PageId): Promise<FullPage | undefined>;
}

interface ExportDeps {
  readonly items: Pick<AccountItems, "pages">;
  readonly pages: ExportPages;
  readonly clock: Clock;
}

/**
 * Yields everything an account owns, as lines of JSON in batches. The first line describes the export, the last one holds the
 * number of items; an export without that line is incomplete. Never throws: a failure becomes the last line.
 */
export async function* exportAccount(
  accountEmail: AccountEmail,
  { items, pages, clock }: ExportDeps,
): AsyncGenerator<string, void, void> {
  let count = 0;
  yield line({ type: "export", version: VERSION, account: accountEmail, created_at: clock.timestamp() });

  try {
    for await (const page of items.pages(accountEmail)) {
      // The text of a page is exported with the page.
      const exported = page.filter((item) => !isPagePart(item));
      count += exported.length;
      let batch = "";
      for (const item of exported) {
        batch += await lineOf(accountEmail, item, pages);
        if (batch.length < BATCH_CHARS) continue;
        yield batch;
        batch = "";
      }
      if (batch !== "") yield batch;
    }
    yield line({ type: "end", items: count });
  } catch (thrown) {
    const error = AppError.from(thrown);
    console.error({
      message: "An export failed before its end.",
      code: error.code,
      cause: error.cause ?? error,
    });
    yield line({ type: "error", code: error.code, detail: error.message, retryable: error.retryable });
  }
}

async function lineOf(accountEmail: AccountEmail, item: Item, pages: ExportPages): Promise<string> {
  const shown: ExportLine = toExportLine(accountEmail, item);
  if (shown.type !== KNOWLEDGE_PAGE) return line(shown);

  const packed = packedIn(item);
  const kbId = knowledgeBaseIdOf(keyOf(item).pk.slice(KNOWLEDGE_BASE_PREFIX.length));
  const markdown = packed
    ? await gunzip(packed)
    : (await pages.find({ accountEmail, kbId }, pageIdIn(item)))?.markdown;
  return line({ ...shown, markdown: markdown ?? null });
}

const line = (value: object): string => `${JSON.stringify(value, plain)}\n`;

/** JSON has neither sets nor bytes: sets become arrays, bytes become base64. */
function plain(_name: string, value: unknown): unknown {
  if (value instanceof Set) return [...value];
  return value instanceof Uint8Array ? toBase64(value) : value;
}
