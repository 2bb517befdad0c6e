import type { AccountPlan, PlanRules } from "../plans/account-plan.ts";
import { limitExceeded } from "../plans/refusals.ts";
import type { Clock } from "../shared/clock.ts";
import { AppError, notFound } from "../shared/errors.ts";
import type { AccountEmail } from "../shared/id-types.ts";
import { asSentence } from "../shared/text.ts";
import type { KnowledgeBaseRef } from "./model.ts";
import { pageIdFor } from "./page-id.ts";
import type { Page, PageStore } from "./page-model.ts";
import { type DocumentSource, type ReadDocument, UnreadableDocument } from "./reading/document.ts";

/** A file as it was uploaded. `name` is in the form of `displayedFileName`. */
export interface UploadedFile {
  readonly name: string;
  readonly contentType: string | null;
  readonly bytes: Uint8Array;
}

/** What became of an uploaded file. */
export type UploadResult =
  | {
      readonly name: string;
      readonly status: "stored" | "replaced" | "unchanged";
      readonly page: Page;
      /** What the owner should know about the file although it was stored. */
      readonly warning: string | null;
    }
  | { readonly name: string; readonly status: "failed"; readonly error: AppError };

interface UploadServiceDeps {
  readonly pages: PageStore;
  readonly plans: { plan(email: AccountEmail, nowMs: number): Promise<AccountPlan> };
  readonly rules: Pick<PlanRules, "upgradeUrl">;
  /** Called after pages have been stored at the account's expense. Must not throw. */
  readonly stored: (accountEmail: AccountEmail) => void;
  readonly readDocument: (source: DocumentSource) => Promise<ReadDocument>;
  readonly clock: Clock;
}

/** Stores uploaded files as pages of a knowledge base. */
export class UploadService {
  readonly #pages: PageStore;
  readonly #plans: UploadServiceDeps["plans"];
  readonly #rules: UploadServiceDeps["rules"];
  readonly #stored: UploadServiceDeps["stored"];
  readonly #readDocument: UploadServiceDeps["readDocument"];
  readonly #clock: Clock;

  constructor({ pages, plans, rules, stored, readDocument, clock }: UploadServiceDeps) {
    this.#pages = pages;
    this.#plans = plans;
    this.#rules = rules;
    this.#stored = stored;
    this.#readDocument = readDocument;
    this.#clock = clock;
  }

  /**
   * Reads and stores files, one after the other, and returns what became of each. A file that can't be read costs nothing. Throws
   * the first file's error if none was stored, and `not-found` if the base is deleted meanwhile.
   */
  async upload(base: KnowledgeBaseRef, files: readonly UploadedFile[]): Promise<readonly UploadResult[]> {
    const results: UploadResult[] = [];
    try {
      for (const file of files) results.push(await this.#one(base, file));
    } finally {
      if (results.some(({ status }) => status !== "failed")) this.#stored(base.accountEmail);
    }

    const [first] = results;
    if (first?.status === "failed" && results.every(({ status }) => status === "failed")) throw first.error;
    return results;
  }

  async #one(base: KnowledgeBaseRef, file: UploadedFile): Promise<UploadResult> {
    try {
      return await this.#store(base, file);
    } catch (error) {
      if (error instanceof UnreadableDocument) return failed(file, unreadable(error.message));
      if (error instanceof AppError && error.status < 500 && error.code !== "not-found")
        return failed(file, error);
      throw error;
    }
  }

  async #store(base: KnowledgeBaseRef, { name, contentType, bytes }: UploadedFile): Promise<UploadResult> {
    const read = await this.#readDocument({ bytes, contentType, url: null, fileName: name });
    const { title, description, language, markdown, warning } = read;
    if (markdown.trim() === "") throw unreadable(warning ?? "the file has no readable text");

    const identity = { url: null, fileName: name };
    const details = { title, description, language, etag: null, lastModified: null };
    const status = await this.#pages.save(base, { ...identity, ...details, markdown }, { jobId: null });
    if (status === "over-limit") throw await this.#overLimit(base);
    if (status === "too-large") throw tooLarge();

    const page = status === "gone" ? undefined : await this.#pages.find(base, await pageIdFor(identity));
    if (status === "gone" || !page) throw notFound("Knowledge base");
    return { name, status, page, warning: warning && asSentence(warning) };
  }

  async #overLimit({ accountEmail }: KnowledgeBaseRef): Promise<AppError> {
    const plan = await this.#plans.plan(accountEmail, this.#clock.now());
    return limitExceeded(plan, "kb_pages", plan.kbPagesUsed, this.#rules);
  }
}

const failed = ({ name }: UploadedFile, error: AppError): UploadResult => ({ name, status: "failed", error });

const unreadable = (reason: string): AppError => new AppError("validation-failed", asSentence(reason));

const tooLarge = (): AppError =>
  new AppError(
    "payload-too-large",
    "The file has more text than one page may hold. Divide it into several files.",
  );
