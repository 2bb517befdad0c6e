import { type AccountEmail, accountEmailOf } from "../shared/id-types.ts";
import { type Clock, DAY_MS, ttlAfter } from "../shared/clock.ts";
import { AppError } from "../shared/errors.ts";
import type { User } from "../users/model.ts";
import type { UserRepository } from "../users/repository.ts";
import { requireActive } from "../access/account-status.ts";
import { hashPassword, isPassword } from "./passwords.ts";
import type { AccessTokens } from "./tokens.ts";

/** Local accounts expire after 7 days. The data that they own does not. */
const LIFETIME_MS = 7 * DAY_MS;

/** The answer to signing up and signing in. */
export interface Session {
  readonly token: string;
  readonly email: string;
  readonly name: string;
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

interface LocalAccountServiceDeps {
  readonly users: UserRepository;
  readonly tokens: AccessTokens;
  readonly clock: Clock;
  readonly isLocal: boolean;
}

/** Sign-in by user name and password, for local development only. */
export class LocalAccountService {
  readonly #users: UserRepository;
  readonly #tokens: AccessTokens;
  readonly #clock: Clock;
  readonly #isLocal: boolean;

  constructor({ users, tokens, clock, isLocal }: LocalAccountServiceDeps) {
    this.#users = users;
    this.#tokens = tokens;
    this.#clock = clock;
    this.#isLocal = isLocal;
  }

  /** Creates an account. Throws `conflict` if the name is taken, and `forbidden` outside of local development. */
  async signUp({ username, password }: Credentials): Promise<Session> {
    this.#requireLocal("Local signup is only available in development environment");

    const now = this.#clock.now();
    const user: User = {
      accountEmail: emailOf(username),
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

  /** Signs in. Throws `unauthenticated` if the name or the password is wrong, and `forbidden` outside of local development. */
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
    return { token: await this.#tokens.issue(user), email: user.accountEmail, name: user.name };
  }
}

const emailOf = (username: string): AccountEmail => accountEmailOf(`${username.toLowerCase()}@example.com`);
