/** How people can sign in. */
export interface SignInMethods {
  /** With a name and a password; in local development only. */
  readonly local: boolean;
  /** At an OpenID issuer: its name, and the path that leads there. Null if none is set up. */
  readonly issuer: { readonly name: string; readonly url: string } | null;
}

/** What the configuration says about signing in. */
interface SignInSettings {
  readonly isLocal: boolean;
  readonly signIn: { readonly issuer: { readonly issuer: string } } | { readonly missing: readonly string[] };
}

const GOOGLE = "accounts.google.com";

/** Returns how people can sign in to a deployment. */
export function signInMethodsOf({ isLocal, signIn }: SignInSettings): SignInMethods {
  if ("missing" in signIn) return { local: isLocal, issuer: null };
  const { hostname } = new URL(signIn.issuer.issuer);
  return {
    local: isLocal,
    issuer: { name: hostname === GOOGLE ? "Google" : hostname, url: "/auth/google" },
  };
}
