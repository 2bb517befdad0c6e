/** Where and how a visitor signs in. */
export interface SignInDeps {
  /** The origin of the service, from which alone a token is accepted. */
  readonly baseUrl: string;
  readonly key: string;
  readonly onToken: (token: string) => void;
  /** Called with a sentence if nobody has signed in. */
  readonly onProblem: (sentence: string) => void;
}

/** What the last page of a sign-in sends to this one. */
interface Told {
  readonly type?: unknown;
  readonly token?: unknown;
  readonly message?: unknown;
}

/**
 * Signs a visitor in through a window of the service. Threat: any page may send messages to this one, so a token is accepted only
 * from the service's origin and from the window that was opened for it. The token travels in the message, never in an address.
 */
export class SignIn {
  readonly #deps: SignInDeps;
  #popup: Window | null = null;

  constructor(deps: SignInDeps) {
    this.#deps = deps;
  }

  /** Waits for messages until the signal is aborted. */
  listen(signal: AbortSignal): void {
    addEventListener("message", (event) => this.#receive(event), { signal });
  }

  /** Opens the window. Call it while a click is handled: browsers allow no others. Returns false if the browser has blocked it. */
  begin(signInUrl: string): boolean {
    const { baseUrl, key } = this.#deps;
    const url = new URL(signInUrl);
    url.searchParams.set("api_key", key);
    url.searchParams.set("redirect_uri", `${baseUrl}/widget/auth/callback-page`);
    url.searchParams.set("origin", location.origin);
    this.#popup = open(url, "agent-chat-sign-in", "popup,width=480,height=640");
    return this.#popup !== null;
  }

  #receive({ origin, source, data }: MessageEvent<Told | null>): void {
    const { baseUrl, onToken, onProblem } = this.#deps;
    if (origin !== baseUrl || source === null || source !== this.#popup) return;
    const { type, token, message } = data ?? {};
    if (type === "innomight-oauth-callback" && typeof token === "string") onToken(token);
    else if (type === "innomight-oauth-error" && typeof message === "string") onProblem(message);
  }
}
