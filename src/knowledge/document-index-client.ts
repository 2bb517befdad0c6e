import { DurableClient } from "../shared/durable-client.ts";
import type { KnowledgeBaseId } from "../shared/id-types.ts";
import type { FoundPassage, PageReading } from "../search/passage-model.ts";
import type { KnowledgeBaseRef } from "./model.ts";
import type { DocumentIndex } from "./document-index.ts";
import type {
  DocumentIndexes,
  DocumentSearchAnswer,
  DocumentSearchRequest,
  PageReadRequest,
  PassageRequest,
} from "./search-model.ts";

interface DocumentIndexClientDeps {
  readonly namespace: DurableObjectNamespace<DocumentIndex>;
  readonly region: string;
}

/** How long a request waits for an index, in milliseconds. */
const SEARCH_MS = 20_000;
/** How long is waited until an index knows that pages have changed, in milliseconds. */
const WAKE_MS = 5_000;

/** Calls the indexes of knowledge bases, one Durable Object per base. All calls can be repeated safely. */
export class DocumentIndexClient implements DocumentIndexes {
  readonly #indexes: DurableClient<DocumentIndex>;

  /** `region` is the table's AWS region. Indexes are placed near it. */
  constructor({ namespace, region }: DocumentIndexClientDeps) {
    const unavailable = "Knowledge bases can't be searched at the moment.";
    this.#indexes = new DurableClient({ namespace, region, unavailable });
  }

  search(request: DocumentSearchRequest, timeoutMs = SEARCH_MS): Promise<DocumentSearchAnswer> {
    return this.#indexes.call(request.kbId, (index) => index.search(request), { timeoutMs });
  }

  passage(request: PassageRequest): Promise<FoundPassage | null> {
    return this.#indexes.call(request.kbId, (index) => index.passage(request), { timeoutMs: SEARCH_MS });
  }

  read(request: PageReadRequest, timeoutMs = SEARCH_MS): Promise<PageReading | null> {
    return this.#indexes.call(request.kbId, (index) => index.read(request), { timeoutMs });
  }

  async wake({ accountEmail, kbId }: KnowledgeBaseRef): Promise<void> {
    const base = { accountEmail, kbId };
    await this.#indexes.call(kbId, (index) => index.wake(base), { timeoutMs: WAKE_MS });
  }

  async forget(kbId: KnowledgeBaseId): Promise<void> {
    await this.#indexes.call(kbId, (index) => index.forget());
  }
}
