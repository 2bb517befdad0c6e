import { generateRandomCodeVerifier, generateRandomNonce, generateRandomState } from "oauth4webapi";
import type { Clock } from "../shared/clock.ts";
import { equalBytes, utf8 } from "../shared/crypto.ts";
import { AppError } from "../shared/errors.ts";
import type { User } from "../users/model.ts";
import type { SignInRepository } from "../users/sign-in-repository.ts";
import type { OpenIdIssuer } from "./issuer.ts";
import { type Profile, profileFrom } from "./profile.ts";
import { type SignInFailure, SignInRefused } from "./refusals.ts";
import type { IssuedToken, Sessions } from "./sessions.ts";
import type { SignInTransaction, SignInTransactions } from "./transactions.ts";

/** How often an account is looked at again because it came into being, or changed hands, at the same moment. */
const ATTEMPTS = 3;

export interface SignInDeps {
  readonly issuer: OpenIdIssuer;
  readonly transactions: SignInTransactions;
  readonly accounts: SignInRepository;
  readonly sessions: Sessions;
  readonly clock: Clock;
  /** The application's address. */
  readonly frontend: string;
}

/** What a browser brings back from the issuer. */
export interface Return {
  readonly answer: URLSearchParams;
  /** The cookie that `begin` has given it. */
  readonly cookie: string | undefined;
  readonly device: string;
}

/** Sign-in through an OpenID issuer: the way there, and the way back. */
export class SignIn {
  readonly #deps: SignInDeps;

  constructor(deps: SignInDeps) {
    this.#deps = deps;
  }

  /** The application's page for those who have signed in. */
  get successPage(): string {
    return `${this.#deps.frontend}/login-success`;
  }

  /** The application's page for those who could not. */
  failurePage(failure: SignInFailure): string {
    return `${this.#deps.frontend}/login?error=${failure}`;
  }

  /** Where to send a browser, and the cookie that has to come back with it. */
  async begin(): Promise<{ location: string; cookie: string }> {
    const transaction: SignInTransaction = {
      state: generateRandomState(),
      nonce: generateRandomNonce(),
      verifier: generateRandomCodeVerifier(),
    };
    const location = await this.#deps.issuer.authorizationUrl(transaction);
    return { location, cookie: await this.#deps.transactions.seal(transaction) };
  }

  /** Begins a session for whom the issuer has sent back. Throws `SignInRefused` for everybody else. */
  async finish({ answer, cookie, device }: Return): Promise<IssuedToken> {
    const transaction = await this.#deps.transactions.open(cookie);
    const states = answer.getAll("state");
    if (!transaction || states.length !== 1 || !isSame(states[0] ?? "", transaction.state))
      throw new SignInRefused("auth_failed", new Error("The state is not this browser's."));

    const error = answer.get("error");
    if (error !== null) throw new SignInRefused(error === "access_denied" ? "access_denied" : "auth_failed");

    const profile = profileFrom(await this.#deps.issuer.identify(answer, transaction));
    return this.#deps.sessions.begin(await this.#enter(profile), device);
  }

  /** The e-mail of the person's account, which is made, adopted or brought up to date. */
  async #enter(profile: Profile): Promise<string> {
    const { accounts, clock } = this.#deps;

    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const now = clock.timestamp();
      const nowMs = clock.now();
      const found = await accounts.find(profile);
      const { account, alias } = found;
      if (!account) {
        if (await accounts.create(newUser(profile, now), found, nowMs)) return profile.email;
        continue;
      }

      if (account.status !== "active") throw new SignInRefused("account_inactive");
      if (account.subject !== undefined && account.subject !== profile.subject)
        throw new SignInRefused("auth_failed", new Error("The address belongs to another subject."));
      const changes = { subject: profile.subject, name: profile.name, picture: profile.picture };
      if (await accounts.enter(account, profile, changes, { alias, now, nowMs })) return account.email;
    }
    throw new AppError("unavailable", "The account is being changed at the moment. Please try again.");
  }
}

const newUser = ({ email, name, picture, subject }: Profile, createdAt: string): User => ({
  email,
  name,
  picture,
  status: "active",
  createdAt,
  deletionRequestedAt: null,
  subject,
});

/** Whether two texts are the same, without telling by the duration where they differ. */
const isSame = (a: string, b: string): boolean => equalBytes(utf8(a), utf8(b));
