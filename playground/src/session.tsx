import { type ComponentChildren, createContext } from "preact";
import { useContext, useEffect, useMemo, useState } from "preact/hooks";
import { AgentBuilder, ApiError, type SignInMethods } from "../../client/src/index.ts";

/** Who is signed in. */
export interface Person {
  readonly email: string;
  readonly name: string;
  readonly picture: string | null;
}

/** What the page knows about the session. */
export type SessionState =
  | { readonly kind: "loading" }
  /** `notice` is a sentence that says why, if the person did not sign out. */
  | { readonly kind: "signed-out"; readonly notice: string | undefined }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "signed-in"; readonly person: Person };

type Listener = (state: SessionState) => void;

/**
 * Says that this browser has probably a session. Scripts cannot see the cookie, and asking for a token in vain on every visit would
 * spend requests of people who have never signed in.
 */
const HINT = "signed-in";

/**
 * The session of this page. The access token is kept in memory only, where no other page and no extension of the storage finds it. A
 * reload gets a new one by the refresh cookie, which scripts cannot read.
 */
export class Session {
  readonly #baseUrl: string;
  readonly #anonymous: AgentBuilder;
  #client: AgentBuilder;
  #token: string | undefined;
  /** A new one with each sign-in and sign-out. Whatever belongs to an earlier one must not touch the person of the current one. */
  #visit: object = {};
  /** The request for a new token that is under way. */
  #refreshing: Promise<unknown> | undefined;
  #state: SessionState = { kind: "loading" };
  readonly #listeners = new Set<Listener>();

  constructor({ baseUrl }: { readonly baseUrl: string }) {
    this.#baseUrl = baseUrl;
    this.#anonymous = new AgentBuilder({ baseUrl });
    this.#client = this.#clientOf(this.#visit);
  }

  /** Sends requests in the name of the person who is signed in. Everybody who signs in has another one, because it keeps a token. */
  get client(): AgentBuilder {
    return this.#client;
  }

  get state(): SessionState {
    return this.#state;
  }

  /** Calls the listener with each new state. Returns what ends that. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Continues the session of the refresh cookie, if there may be one: a sign-in has just ended, or an earlier one is remembered. */
  async resume(): Promise<void> {
    if (location.pathname !== "/login-success" && !mayHaveSession())
      return this.#become({ kind: "signed-out", notice: undefined });
    try {
      await this.#refresh();
    } catch (error) {
      if (hasEnded(error)) this.#become({ kind: "signed-out", notice: undefined });
      else this.#become({ kind: "failed", error });
    }
  }

  /** Returns how people can sign in. Throws what the client throws. */
  methods(): Promise<SignInMethods> {
    return this.#anonymous.request("GET", "/auth/methods");
  }

  /** Signs in or up by name and password. Throws what the client throws. */
  async enter(
    purpose: "login" | "signup",
    credentials: { username: string; password: string },
  ): Promise<void> {
    const { token, email, name } = await this.#anonymous.request("POST", `/auth/local/${purpose}`, {
      body: credentials,
    });
    this.#signIn(token, { email, name, picture: null });
  }

  /** Ends the session. The page is signed out even if the service does not answer; then the error is thrown. */
  async end(notice?: string): Promise<void> {
    this.#signOut(notice);
    // Its answer sets the cookie again, so it has to come first. If it fails, there is nothing to wait for.
    await this.#refreshing?.catch(() => undefined);
    await this.#anonymous.request("POST", "/auth/logout");
  }

  #clientOf(visit: object): AgentBuilder {
    return new AgentBuilder({
      baseUrl: this.#baseUrl,
      getToken: async ({ refused }) => (visit === this.#visit ? await this.#tokenAfter(refused) : undefined),
    });
  }

  async #tokenAfter(refused: string | undefined): Promise<string | undefined> {
    if (this.#token !== undefined && this.#token !== refused) return this.#token;
    const visit = this.#visit;
    try {
      return await this.#refresh();
    } catch (error) {
      if (!hasEnded(error)) throw error;
      if (visit === this.#visit) this.#signOut("Your session has ended. Sign in again to go on.");
      return undefined;
    }
  }

  /** Gets a new token. Returns undefined if the person has signed out meanwhile, or is another one. */
  async #refresh(): Promise<string | undefined> {
    const visit = this.#visit;
    const refreshing = this.#anonymous.request("POST", "/auth/refresh");
    this.#refreshing = refreshing;
    const { token, email, name, picture } = await refreshing;
    if (visit !== this.#visit) return undefined;
    this.#signIn(token, { email, name, picture });
    return visit === this.#visit ? token : undefined;
  }

  #signIn(token: string, person: Person): void {
    const before = this.#state;
    if (before.kind !== "signed-in" || before.person.email !== person.email) this.#begin();
    this.#token = token;
    this.#become({ kind: "signed-in", person });
  }

  #signOut(notice: string | undefined): void {
    this.#begin();
    this.#become({ kind: "signed-out", notice });
  }

  #begin(): void {
    this.#visit = {};
    this.#token = undefined;
    this.#client = this.#clientOf(this.#visit);
  }

  #become(state: SessionState): void {
    const before = this.#state;
    // A new token of the same person is no news: rendering everything again would lose what is being typed.
    const isSame =
      before.kind === "signed-in" && state.kind === "signed-in" && before.person.email === state.person.email;
    if (isSame) return;
    this.#state = state;
    if (state.kind !== "loading" && state.kind !== "failed") remember(state.kind === "signed-in");
    for (const listener of this.#listeners) listener(state);
  }
}

function mayHaveSession(): boolean {
  try {
    return localStorage.getItem(HINT) !== null;
  } catch {
    return true;
  }
}

function remember(isSignedIn: boolean): void {
  try {
    if (isSignedIn) localStorage.setItem(HINT, "1");
    else localStorage.removeItem(HINT);
  } catch {
    // Without storage, every visit asks for a token.
  }
}

/** 403 is the answer to an origin that is not the service's own, which can have no session. */
const hasEnded = (error: unknown): boolean =>
  error instanceof ApiError && (error.status === 401 || error.status === 403);

const SessionContext = createContext<Session | undefined>(undefined);

/** Makes a session available to everything inside. */
export function SessionProvider({
  session,
  children,
}: {
  readonly session: Session;
  readonly children: ComponentChildren;
}) {
  return <SessionContext.Provider value={session}>{children}</SessionContext.Provider>;
}

/** Returns the session of the page. */
export function usePageSession(): Session {
  const session = useContext(SessionContext);
  if (session === undefined) throw new Error("There is no SessionProvider.");
  return session;
}

/** Returns the state of the session, and renders again when it changes. */
export function useSessionState(): SessionState {
  const session = usePageSession();
  const [state, setState] = useState(session.state);
  useEffect(() => {
    setState(session.state);
    return session.listen(setState);
  }, [session]);
  return state;
}

/** Returns the client that sends requests in the name of the person who is signed in. */
export const useClient = (): AgentBuilder => usePageSession().client;

/** Returns who is signed in. Only for components that are shown to signed-in people. */
export function useSession(): Person {
  const { state } = usePageSession();
  return useMemo(
    () => (state.kind === "signed-in" ? state.person : { email: "", name: "", picture: null }),
    [state],
  );
}

/** Returns what signs the person out, with a sentence to show them afterwards. */
export function useSignOut(): (notice?: string) => Promise<void> {
  const session = usePageSession();
  return (notice) => session.end(notice);
}
