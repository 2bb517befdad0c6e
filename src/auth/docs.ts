import { EXAMPLE, examplePage, type FeatureDocs } from "../http/docs.ts";

const TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGFAZXhhbXBsZS5jb20ifQ.c2lnbmF0dXJl";

/** The texts and examples of sign-in and sessions. */
export const authDocs: FeatureDocs = {
  operations: {
    signIn: {
      tag: "Account",
      summary: "Sign in with Google or another issuer",
      description:
        "Open it in the browser, not with `fetch`: it redirects to the issuer's sign-in page. Afterwards the browser returns to the application with a refresh cookie, and the page gets its access token from `refreshSession`. If sign-in is not possible, the browser is redirected to the application's login page with an error code.",
      headers: ["Location", "Set-Cookie"],
      problems: ["not-configured"],
    },
    finishSignIn: {
      tag: "Account",
      summary: "Finish signing in",
      description:
        "The issuer redirects the browser here. On success, it goes on to the application with a refresh cookie; otherwise to the login page with an error code. No URL ever contains a token.",
      headers: ["Location", "Set-Cookie"],
      problems: ["forbidden", "not-configured"],
    },
    finishSignInGoogle: {
      tag: "Account",
      summary: "Finish signing in (earlier path)",
      description:
        "The same as `finishSignIn`, for redirect addresses that are registered with the earlier path.",
      headers: ["Location", "Set-Cookie"],
      problems: ["forbidden", "not-configured"],
    },
    refreshSession: {
      tag: "Account",
      summary: "Get a new access token for the session",
      description:
        'Returns a short-lived access token for the session of the refresh cookie, and replaces the cookie. Call it when the page loads and before the token expires, with `credentials: "include"`. A 401 means that the session has ended: sign in again. Only the application\'s own origins may call it.',
      answers: {
        200: { token: TOKEN, expires_in: 900, email: EXAMPLE.email, name: "Ada Lovelace", picture: null },
      },
      headers: ["Set-Cookie"],
      problems: ["unauthenticated", "forbidden"],
    },
    logOut: {
      tag: "Account",
      summary: "Sign out",
      description:
        "Ends the session of the refresh cookie and clears the cookie. Without a session, it is a 204 as well. Access tokens that were issued stay valid until they expire.",
      headers: ["Set-Cookie"],
      problems: ["forbidden"],
    },
    listSessions: {
      tag: "Account",
      summary: "List your sessions, latest sign-in first",
      description:
        "Lists the devices on which you are signed in. `current` marks the session of this browser.",
      answers: {
        200: examplePage({
          session_id: EXAMPLE.sessionId,
          device: "Firefox on Linux",
          created_at: EXAMPLE.at,
          last_used_at: EXAMPLE.later,
          expires_at: "2026-07-01T09:30:04.000Z",
          current: true,
        }),
      },
    },
    endSession: {
      tag: "Account",
      summary: "End one of your sessions",
      description:
        "Signs out a device: its session gets no further access tokens. Ending a session that does not exist is a 204 as well.",
    },
    localSignup: {
      tag: "Account",
      summary: "Sign up locally (development only)",
      description:
        "Creates an account with a name and a password, for development without Google. A page of this service also gets a refresh cookie. A deployment refuses it with 403. A name that is taken is a 409.",
      request: { username: "ada", password: "secret" },
      answers: { 200: { token: TOKEN, email: "ada@local", name: "ada" } },
      problems: ["forbidden", "conflict"],
    },
    localLogin: {
      tag: "Account",
      summary: "Sign in locally (development only)",
      description:
        "Returns an access token for an account that `localSignup` has created, and a refresh cookie to a page of this service. A deployment refuses it with 403; a wrong name or password is a 401.",
      request: { username: "ada", password: "secret" },
      answers: { 200: { token: TOKEN, email: "ada@local", name: "ada" } },
      problems: ["unauthenticated", "forbidden"],
    },
    getSignInMethods: {
      tag: "Account",
      summary: "Find out how people can sign in",
      description:
        "For sign-in pages. `local` is sign-in by name and password, in development only. `issuer` is Google or another OpenID issuer; send the browser to its `url`.",
      answers: { 200: { local: false, issuer: { name: "Google", url: "/auth/google" } } },
    },
    getMe: {
      tag: "Account",
      summary: "Get the signed-in account",
      description:
        "Returns the name, the e-mail address and the portrait of the account that the token is for.",
      answers: { 200: { email: EXAMPLE.email, name: "Ada Lovelace", picture: null } },
    },
  },
  schemas: {
    LocalCredentials: {
      description: "A name and a password of a local account.",
      fields: { username: "The name.", password: "The password, at most 1,024 characters." },
    },
    Session: { description: "An access token, and whose it is." },
    RefreshedToken: {
      description: "A new access token, and whose it is.",
      fields: { expires_in: "How long the token is valid, in seconds." },
    },
    AuthSession: {
      description: "A session on a device.",
      fields: {
        device: "The browser and the system, as far as they are known.",
        last_used_at: { description: "When it last got an access token (UTC).", format: "date-time" },
        expires_at: { description: "When it ends unless it is used before then (UTC).", format: "date-time" },
        current: "Whether it is the session of this request's cookie.",
      },
    },
    Me: { description: "The account that is signed in." },
    SignInMethods: {
      description: "How people can sign in.",
      fields: {
        local: "Whether a name and a password are enough. Only true in development.",
        issuer: "Where people sign in otherwise, or null if nothing is set up.",
        "issuer.name": "The issuer's name for people: `Google`, or the host of another one.",
        "issuer.url": "The path on this service that leads the browser to the issuer.",
      },
    },
  },
};
