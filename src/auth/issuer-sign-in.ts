import { generateRandomCodeVerifier, generateRandomNonce, generateRandomState } from "oauth4webapi";
import { equalBytes, utf8 } from "../shared/crypto.ts";
import type { OpenIdIssuer } from "./issuer.ts";
import { type Profile, profileFrom } from "./profile.ts";
import { SignInRefused } from "./refusals.ts";
import type { SignInTransaction, SignInTransactions } from "./sign-in-transactions.ts";

interface IssuerSignInDeps {
  readonly issuer: OpenIdIssuer;
  readonly transactions: SignInTransactions;
  /** Whether addresses are accepted about which the issuer does not say whether they are verified. */
  readonly trustsEmail: boolean;
}

/** What a browser brings back from the issuer. */
export interface IssuerReturn {
  readonly answer: URLSearchParams;
  /** The cookie from `begin`. */
  readonly cookie: string | undefined;
}

/** The way to an OpenID issuer and back, for everybody who signs in: people with accounts, and visitors. */
export class IssuerSignIn {
  readonly #issuer: OpenIdIssuer;
  readonly #transactions: SignInTransactions;
  readonly #trustsEmail: boolean;

  constructor({ issuer, transactions, trustsEmail }: IssuerSignInDeps) {
    this.#issuer = issuer;
    this.#transactions = transactions;
    this.#trustsEmail = trustsEmail;
  }

  /** Returns the URL to redirect the browser to, and the cookie that it must send back. `note` comes back with it. */
  async begin(note?: string): Promise<{ location: string; cookie: string }> {
    const transaction: SignInTransaction = {
      state: generateRandomState(),
      nonce: generateRandomNonce(),
      verifier: generateRandomCodeVerifier(),
      ...(note !== undefined && { note }),
    };
    const location = await this.#issuer.authorizationUrl(transaction);
    return { location, cookie: await this.#transactions.seal(transaction) };
  }

  /** Returns the transaction that the browser brings back. Throws `SignInRefused` if it has not begun it here. */
  async resume({ answer, cookie }: IssuerReturn): Promise<SignInTransaction> {
    const transaction = await this.#transactions.open(cookie);
    const states = answer.getAll("state");
    if (!transaction || states.length !== 1 || !isSame(states[0] ?? "", transaction.state))
      throw new SignInRefused("auth_failed", new Error("The state does not match the cookie."));
    return transaction;
  }

  /** Returns the person whom the issuer has verified. Throws `SignInRefused` if the person declined or verification fails. */
  async identify(answer: URLSearchParams, transaction: SignInTransaction): Promise<Profile> {
    const error = answer.get("error");
    if (error !== null) throw new SignInRefused(error === "access_denied" ? "access_denied" : "auth_failed");

    return profileFrom(await this.#issuer.identify(answer, transaction), this.#trustsEmail);
  }
}

/** Compares two texts in constant time. */
const isSame = (a: string, b: string): boolean => equalBytes(utf8(a), utf8(b));
