/** Returns the access token to send; undefined if nobody is signed in. `refused` is a token that was answered with 401. */
export type GetToken = (about: {
  readonly refused: string | undefined;
}) => string | undefined | Promise<string | undefined>;

/** Who is asking: a person's access token, a program's API key, or a function that gets an access token. None: nobody. */
export type Credentials =
  | { readonly token: string; readonly apiKey?: undefined; readonly getToken?: undefined }
  | { readonly apiKey: string; readonly token?: undefined; readonly getToken?: undefined }
  | { readonly getToken: GetToken; readonly token?: undefined; readonly apiKey?: undefined }
  | { readonly token?: undefined; readonly apiKey?: undefined; readonly getToken?: undefined };

/** The token that requests are sent with. Requests that need a new one at the same time share it. */
export class Tokens {
  readonly #get: GetToken | undefined;
  #current: string | undefined;
  #pending: Promise<string | undefined> | undefined;

  constructor({ token, apiKey, getToken }: Credentials) {
    this.#current = token ?? apiKey;
    this.#get = getToken;
  }

  /** Returns the token to send; undefined for none. Throws what `getToken` throws. */
  async current(): Promise<string | undefined> {
    return this.#current ?? (await this.#ask(undefined));
  }

  /** Returns another token than the one that was refused; undefined if there is none. Throws what `getToken` throws. */
  async insteadOf(refused: string | undefined): Promise<string | undefined> {
    // Another request may have got a new one meanwhile.
    const next = this.#current === refused ? await this.#ask(refused) : this.#current;
    return next === refused ? undefined : next;
  }

  async #ask(refused: string | undefined): Promise<string | undefined> {
    if (!this.#get) return this.#current;
    this.#pending ??= this.#replace(this.#get, refused);
    return await this.#pending;
  }

  async #replace(get: GetToken, refused: string | undefined): Promise<string | undefined> {
    try {
      this.#current = await get({ refused });
      return this.#current;
    } finally {
      this.#pending = undefined;
    }
  }
}
