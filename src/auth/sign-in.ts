import type { AccountEmail } from "../shared/id-types.ts";
import type { Clock } from "../shared/clock.ts";
import { AppError } from "../shared/errors.ts";
import type { User } from "../users/model.ts";
import type { SignInRepository } from "../users/sign-in-repository.ts";
import type { IssuerReturn, IssuerSignIn } from "./issuer-sign-in.ts";
import type { Profile } from "./profile.ts";
import { SignInRefused } from "./refusals.ts";
import type { IssuedToken, SessionService } from "./sessions.ts";

/** How often a sign-in is attempted if the account is created or changed at the same time. */
const ATTEMPTS = 3;

export interface SignInServiceDeps {
  readonly issuer: IssuerSignIn;
  readonly accounts: SignInRepository;
  readonly sessions: SessionService;
  readonly clock: Clock;
  /** The URL of the application. */
  readonly frontend: string;
}

/** What a browser brings back from the issuer, and its name. */
export interface Return extends IssuerReturn {
  readonly device: string;
}

/** Sign-in through an OpenID issuer: the redirect to it (`begin`) and the return from it (`finish`). */
export class SignInService {
  readonly #issuer: IssuerSignIn;
  readonly #accounts: SignInRepository;
  readonly #sessions: SessionService;
  readonly #clock: Clock;
  readonly #frontend: string;

  constructor({ issuer, accounts, sessions, clock, frontend }: SignInServiceDeps) {
    this.#issuer = issuer;
    this.#accounts = accounts;
    this.#sessions = sessions;
    this.#clock = clock;
    this.#frontend = frontend;
  }

  /** The URL of the application. */
  get frontend(): string {
    return this.#frontend;
  }

  /** Returns the URL to redirect the browser to, and the cookie that it must send back. */
  begin(): Promise<{ location: string; cookie: string }> {
    return this.#issuer.begin();
  }

  /** Begins a session for the person whom the issuer has verified. Throws `SignInRefused` if verification fails. */
  async finish({ answer, cookie, device }: Return): Promise<IssuedToken> {
    const transaction = await this.#issuer.resume({ answer, cookie });
    const profile = await this.#issuer.identify(answer, transaction);
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
