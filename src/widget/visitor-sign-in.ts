import type { AccessScope } from "../access/access-scope.ts";
import type { KeyGrant } from "../access/publishable-key.ts";
import type { IssuerReturn, IssuerSignIn } from "../auth/issuer-sign-in.ts";
import { failureOf, type SignInFailure } from "../auth/refusals.ts";
import type { SignInTransaction } from "../auth/sign-in-transactions.ts";
import { AppError, invalidInput } from "../shared/errors.ts";
import { signedInVisitorId, type VisitorToken } from "./model.ts";
import type { VisitorService } from "./visitor-service.ts";

/** Returns what a publishable key opens. Throws `unauthenticated` if there is no such key or it is disabled. */
interface Keys {
  require(publicKey: string): Promise<KeyGrant>;
}

/** Throws `unauthenticated` if the account is gone and `forbidden` if it is deactivated. */
interface Accounts {
  requireActiveScope(scope: AccessScope): Promise<void>;
}

interface VisitorSignInDeps {
  readonly issuer: IssuerSignIn;
  readonly keys: Keys;
  readonly accounts: Accounts;
  readonly visitors: VisitorService;
  /** The address of the page that hands the token to the page that has opened it. */
  readonly callbackPage: string;
}

/** How a page asks for the sign-in of its visitor. */
interface SignInRequest {
  readonly apiKey: string;
  /** The callback page, or `undefined` if the token is to be the answer itself. */
  readonly redirectUri: string | undefined;
  /** The origin of the page that has opened the sign-in, if it says so. */
  readonly origin: string | undefined;
}

/** What is remembered while the visitor is at the issuer. */
interface Note {
  readonly key: string;
  readonly origin: string | null;
  readonly toOpener: boolean;
}

/** How a sign-in ended for the page that has opened it. `origins` are those of the pages that may know. */
export interface Handover {
  readonly origins: readonly string[];
  readonly outcome: VisitorToken | { readonly failure: SignInFailure; readonly error: AppError };
}

/** The sign-in of visitors through an OpenID issuer, in a window that the page with the chat has opened. */
export class VisitorSignIn {
  readonly #issuer: IssuerSignIn;
  readonly #keys: Keys;
  readonly #accounts: Accounts;
  readonly #visitors: VisitorService;
  readonly #callbackPage: string;

  constructor({ issuer, keys, accounts, visitors, callbackPage }: VisitorSignInDeps) {
    this.#issuer = issuer;
    this.#keys = keys;
    this.#accounts = accounts;
    this.#visitors = visitors;
    this.#callbackPage = callbackPage;
  }

  /**
   * Returns the URL to redirect the browser to, and the cookie that it must send back. Throws `unauthenticated` for an unknown or
   * disabled key, `validation-failed` for a redirect address that is not this service's own page, and `forbidden` if there is no
   * origin that the token may be handed to.
   */
  async begin({ apiKey, redirectUri, origin }: SignInRequest): Promise<{ location: string; cookie: string }> {
    const grant = await this.#keys.require(apiKey);
    if (redirectUri !== undefined && redirectUri !== this.#callbackPage)
      throw invalidInput("query", [
        { path: ["redirect_uri"], message: `redirect_uri must be ${this.#callbackPage}.`, code: "custom" },
      ]);
    const toOpener = redirectUri !== undefined;
    if (toOpener) receiversOf(grant, origin ?? null);
    const note: Note = { key: apiKey, origin: origin ?? null, toOpener };
    return this.#issuer.begin(JSON.stringify(note));
  }

  /**
   * Ends a sign-in. Returns the visitor's token, or what the opener of the window gets if the sign-in was begun for it: a failure, too.
   * Throws `forbidden` if this browser has not begun it, and the reason of a failure if nobody else is to know.
   */
  async finish(back: IssuerReturn): Promise<VisitorToken | Handover> {
    const transaction = await this.#issuer.resume(back);
    // The transaction was signed by `begin`.
    const note = JSON.parse(transaction.note ?? "") as Note;
    const grant = await this.#keys.require(note.key).catch((error: unknown) => {
      throw error instanceof AppError && error.code === "unauthenticated"
        ? new AppError("unauthenticated", "Invalid or inactive API key")
        : error;
    });
    if (!note.toOpener) return this.#enter(grant, back.answer, transaction);

    const origins = receiversOf(grant, note.origin);
    try {
      return { origins, outcome: await this.#enter(grant, back.answer, transaction) };
    } catch (thrown) {
      const error = AppError.from(thrown);
      return { origins, outcome: { failure: failureOf(error), error } };
    }
  }

  async #enter(
    grant: KeyGrant,
    answer: URLSearchParams,
    transaction: SignInTransaction,
  ): Promise<VisitorToken> {
    const { subject, accountEmail: email, name, picture } = await this.#issuer.identify(answer, transaction);
    await this.#accounts.requireActiveScope({ accountEmail: grant.accountEmail });
    const profile = { name, email, picture, isAnonymous: false };
    return this.#visitors.signIn(grant, await signedInVisitorId(subject), profile);
  }
}

/**
 * Returns the origins that a token may be handed to: the one that was named, or all that the key allows. Security: a key without
 * origins has no such page, because any page could open the sign-in of a visitor and read their conversations.
 */
function receiversOf({ allowedOrigins }: KeyGrant, origin: string | null): readonly string[] {
  if (allowedOrigins.length === 0)
    throw new AppError("forbidden", "Visitors can sign in only if the API key lists its allowed origins");
  if (origin === null) return allowedOrigins;
  if (!allowedOrigins.includes(origin))
    throw new AppError("forbidden", "The origin is not allowed for this API key");
  return [origin];
}
