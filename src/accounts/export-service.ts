import type { AccountEmail } from "../shared/id-types.ts";
import type { EndUser } from "../end-users/model.ts";
import type { Clock } from "../shared/clock.ts";
import { exportAccount, type ExportPages } from "./export.ts";
import { type Exported, exportEndUser, type ExportSources } from "./end-user-export.ts";
import type { AccountItems } from "./repository.ts";

interface ExportServiceDeps extends ExportSources {
  readonly items: AccountItems;
  readonly pages: ExportPages;
  readonly clock: Clock;
}

/** Exports what belongs to an account or to an end user, page by page. */
export class ExportService {
  readonly #items: AccountItems;
  readonly #pages: ExportPages;
  readonly #sources: ExportSources;
  readonly #clock: Clock;

  constructor({ items, pages, clock, ...sources }: ExportServiceDeps) {
    this.#items = items;
    this.#pages = pages;
    this.#sources = sources;
    this.#clock = clock;
  }

  /** Returns everything that the account owns, as lines of JSON. Never throws: a failure is the last line. */
  account(accountEmail: AccountEmail): AsyncGenerator<string, void, void> {
    return exportAccount(accountEmail, { items: this.#items, pages: this.#pages, clock: this.#clock });
  }

  /** Returns everything stored about an end user, one thing after the other. */
  endUser(endUser: EndUser): AsyncGenerator<Exported, void, void> {
    return exportEndUser(endUser, this.#sources);
  }
}
