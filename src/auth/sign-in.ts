import type { AccountEmail } from "../shared/id-types.ts";
import { generateRandomCodeVerifier, generateRandomNonce, generateRandomState } from "oauth4webapi";
import type { Clock } from "../shared/clock.ts";
import { equalBytes, utf8 } from "../shared/crypto.ts";
import { AppError } from "../shared/errors.ts";
import type { User } from "../users/model.ts";
import type { SignInRepository } from "../users/sign-in-repository.ts";
import type { OpenIdIssuer } from "./issuer.ts";
import { type Profile, profileFrom } from "./profile.ts";
import { SignInRefused } from "./refusals.ts";
import type { IssuedToken, SessionService } from "./sessions.ts";
import type { SignInTransaction, SignInTransactions } from "./sign-in-transactions.ts";

/** How often a sign-in is attempted if the account is created or changed at the same time. */
const ATTEMPTS = 3;

export interface SignInServiceDeps {
  readonly issuer: OpenIdIssuer;
  readonly transactions: SignInTransactions;
  readonly accounts: SignInRepository;
  readonly sessions: SessionService;
  readonly clock: Clock;
  /** The URL of the application. */
  readonly frontend: string;
  /** Whether addresses are accepted about which the issuer does not say whether they are verified. */
  readonly trustsEmail: boolean;
}

/** What a browser brings back from the issuer. */
export interface Return {
  readonly answer: URLSearchParams;
  /** The cookie from `begin`. */
  readonly cookie: string | undefined;
  readonly device: string;
}

/** Sign-in through an OpenID issuer: the redirect to it (`begin`) and the return from it (`finish`). */
export class SignInService {
  readonly #issuer: OpenIdIssuer;
  readonly #transactions: SignInTransactions;
  readonly #accounts: SignInRepository;
  readonly #sessions: SessionService;
  readonly #clock: Clock;
  readonly #frontend: string;
  readonly #trustsEmail: boolean;

  constructor({ issuer, transactions, accounts, sessions, clock, frontend, trustsEmail }: SignInServiceDeps) {
    this.#issuer = issuer;
    this.#transactions = transactions;
    this.#accounts = accounts;
    this.#sessions = sessions;
    this.#clock = clock;
    this.#frontend = frontend;
    this.#trustsEmail = trustsEmail;
  }

  /** The URL of the application. */
  get frontend(): string {
    return this.#frontend;
  }

  /** Returns the URL to redirect the browser to, and the cookie that it must send back. */
  async begin(): Promise<{ location: string; cookie: string }> {
    const transaction: SignInTransaction = {
      state: generateRandomState(),
      nonce: generateRandomNonce(),
      verifier: generateRandomCodeVerifier(),
    };
    const location = await this.#issuer.authorizationUrl(transaction);
    return { location, cookie: await this.#transactions.seal(transaction) };
  }

  /** Begins a session for the person whom the issuer has verified. Throws `SignInRefused` if verification fails. */
  async finish({ answer, cookie, device }: Return): Promise<IssuedToken> {
    const transaction = await this.#transactions.open(cookie);
    const states = answer.getAll("state");
    if (!transaction || states.length !== 1 || !isSame(states[0] ?? "", transaction.state))
      throw new SignInRefused("auth_failed", new Error("The state does not match the cookie."));

    const error = answer.get("error");
    if (error !== null) throw new SignInRefused(error === "access_denied" ? "access_denied" : "auth_failed");

    const claims = await this.#issuer.identify(answer, transaction);
    const profile = profileFrom(claims, this.#trustsEmail);
    return this.#sessions.begin(await this.#enter(profile), device);
  }

  /** Creates, adopts or updates the person's account, and returns its e-mail address. */
  async #enter(profile: Profile): Promise<AccountEmail> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const now = this.#clock.timestamp();
      const nowMs = this.#clock.now();
      const found = await this.#accounts.find(profile);
      const { account, alias } = found;
      if (!account) {
        if (await this.#accounts.create(newUser(profile, now), found, nowMs)) return profile.accountEmail;
        continue;
      }

      if (account.status !== "active") throw new SignInRefused("account_inactive");
      if (account.subject !== undefined && account.subject !== profile.subject)
        throw new SignInRefused("auth_failed", new Error("The address belongs to another subject."));
      const changes = { subject: profile.subject, name: profile.name, picture: profile.picture };
      if (await this.#accounts.enter(account, profile, changes, { alias, now, nowMs }))
        return account.accountEmail;
    }
    throw new AppError("unavailable", "The account is being changed at the moment. Please try again.");
  }
}

const newUser = ({ accountEmail, name, picture, subject }: Profile, createdAt: string): User => ({
  accountEmail,
  name,
  picture,
  status: "active",
  createdAt,
  deletionRequestedAt: null,
  subject,
});

/** Compares two texts in constant time. */
const isSame = (a: string, b: string): boolean => equalBytes(utf8(a), utf8(b));
