import { type Clock, DAY_MS, ttlAfter } from "../shared/clock.ts";
import { AppError } from "../shared/errors.ts";
import type { User } from "../users/model.ts";
import type { UserRepository } from "../users/repository.ts";
import { requireActive } from "../users/account.ts";
import { hashPassword, isPassword } from "./passwords.ts";
import type { AccessTokens } from "./tokens.ts";

/** Local accounts are for trying things out: they end by themselves, what they own stays. */
const LIFETIME_MS = 7 * DAY_MS;

/** What signing up and in answers with. */
export interface Session {
  readonly token: string;
  readonly email: string;
  readonly name: string;
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** Sign-in by user name and password, for development on one's own machine only. */
export class LocalAccounts {
  readonly #users: UserRepository;
  readonly #tokens: AccessTokens;
  readonly #clock: Clock;
  readonly #isLocal: boolean;

  constructor(users: UserRepository, tokens: AccessTokens, clock: Clock, isLocal: boolean) {
    this.#users = users;
    this.#tokens = tokens;
    this.#clock = clock;
    this.#isLocal = isLocal;
  }

  async signUp({ username, password }: Credentials): Promise<Session> {
    this.#requireLocal("Local signup is only available in development environment");

    const now = this.#clock.now();
    const user: User = {
      email: emailOf(username),
      name: username,
      picture: null,
      status: "active",
      createdAt: this.#clock.timestamp(),
      deletionRequestedAt: null,
      password: await hashPassword(password),
      ttl: ttlAfter(now, LIFETIME_MS),
    };
    if (!(await this.#users.create(user, now))) throw new AppError("conflict", "Username already taken");

    return this.#session(user);
  }

  async logIn({ username, password }: Credentials): Promise<Session> {
    this.#requireLocal("Local login is only available in development environment");

    const user = await this.#users.find(emailOf(username));
    if (!user?.password || !(await isPassword(password, user.password)))
      throw new AppError("unauthenticated", "Invalid username or password");

    return this.#session(requireActive(user));
  }

  #requireLocal(message: string): void {
    if (!this.#isLocal) throw new AppError("forbidden", message);
  }

  async #session(user: User): Promise<Session> {
    return { token: await this.#tokens.issue(user), email: user.email, name: user.name };
  }
}

const emailOf = (username: string): string => `${username.toLowerCase()}@example.com`;
