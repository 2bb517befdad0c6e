import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../../client/src/index.ts";
import { useAction, useLoad } from "./data.ts";
import { parametersOf, useRoute } from "./router.ts";
import { usePageSession } from "./session.tsx";
import { Button, Field, fieldErrors, LinkButton, Problem, Skeleton, TextInput } from "./ui/index.ts";

/** What the codes mean with which the service leads people back to the login page. */
const FAILURES: Readonly<Record<string, string>> = {
  access_denied: "The sign-in was cancelled.",
  auth_failed: "The sign-in could not be verified. Please try again.",
  email_not_verified: "Your e-mail address is not verified there. Verify it, and sign in again.",
  account_inactive: "This account is deactivated or is being deleted.",
  unavailable: "Signing in does not work at the moment. Please try again later.",
};

/** The first screen of somebody who is not signed in. `notice` says why, if there is something to say. */
export function SignIn({ notice }: { readonly notice: string | undefined }) {
  const session = usePageSession();
  const methods = useLoad(() => session.methods(), [session]);
  // Renders again when the address gets the reason of a failure.
  useRoute();
  const failure = parametersOf(location.hash).get("error");
  const said = notice ?? (failure === null ? undefined : (FAILURES[failure] ?? FAILURES["auth_failed"]));
  useEffect(() => {
    document.title = "Sign in · Dynamic Agent Builder";
  }, []);
  return (
    <main class="welcome">
      <section class="welcome-text">
        <svg width="44" height="44" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
          <rect width="32" height="32" rx="9" class="brand-box" />
          <path d="M9 10.5h14M9 16h9M9 21.5h5" class="brand-lines" />
          <circle cx="22.5" cy="21" r="3" class="brand-dot" />
        </svg>
        <h1>Agents that remember the people they talk to</h1>
        <p>
          Create an agent, talk to it, and watch what it writes into its memory: every line, every version,
          and what the model reads next.
        </p>
      </section>
      <section class="welcome-form card">
        {said !== undefined && (
          <p class="notice" role="status">
            {said}
          </p>
        )}
        {methods.error !== undefined && <Problem error={methods.error} retry={methods.reload} />}
        {methods.data === undefined && methods.error === undefined && <Skeleton lines={4} />}
        {methods.data?.local && <LocalForm />}
        {methods.data?.local && methods.data.issuer && <p class="divider">or</p>}
        {methods.data?.issuer && (
          <LinkButton
            href={`${methods.data.issuer.url}?to=playground`}
            kind={methods.data.local ? "secondary" : "primary"}
          >
            Sign in with {methods.data.issuer.name}
          </LinkButton>
        )}
        {methods.data && !methods.data.local && !methods.data.issuer && (
          <p>
            No way to sign in is set up on this deployment. Whoever runs it sets <code>GOOGLE_CLIENT_ID</code>{" "}
            and its companions.
          </p>
        )}
      </section>
    </main>
  );
}

function LocalForm() {
  const session = usePageSession();
  const [purpose, setPurpose] = useState<"login" | "signup">("signup");
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const { run, busy, error, clear } = useAction(() => session.enter(purpose, { username, password }));
  const form = useRef<HTMLFormElement>(null);
  const isNew = purpose === "signup";
  const atFields = fieldErrors(error);
  const isTaken = error instanceof ApiError && error.code === "conflict";
  const atUsername =
    atFields["username"] ?? (isTaken ? "This name is taken. Sign in, or choose another." : undefined);
  const isElsewhere = error !== undefined && atUsername === undefined && atFields["password"] === undefined;

  const submit = async (event: Event) => {
    event.preventDefault();
    if (!(await run())) form.current?.querySelector<HTMLElement>("[aria-invalid], input")?.focus();
  };
  return (
    <form class="stack" onSubmit={(event) => void submit(event)} ref={form} noValidate>
      <h2>{isNew ? "Create an account" : "Sign in"}</h2>
      <Field label="Name" error={atUsername}>
        {(ids) => (
          <TextInput
            {...ids}
            value={username}
            onValue={setUsername}
            autocomplete="username"
            required
            spellcheck={false}
          />
        )}
      </Field>
      <Field
        label="Password"
        error={atFields["password"]}
        help={
          isNew
            ? "This account is only for trying things on this machine. Don't use a real password."
            : undefined
        }
      >
        {(ids) => (
          <TextInput
            {...ids}
            type="password"
            value={password}
            onValue={setPassword}
            autocomplete={isNew ? "new-password" : "current-password"}
            required
          />
        )}
      </Field>
      {isElsewhere && <Problem error={error} />}
      <Button type="submit" kind="primary" busy={busy} disabled={username.trim() === "" || password === ""}>
        {isNew ? "Create the account" : "Sign in"}
      </Button>
      <p class="small muted welcome-switch">
        {isNew ? "You have one already?" : "You have none yet?"}{" "}
        <button
          type="button"
          class="text-button"
          onClick={() => {
            clear();
            setPurpose(isNew ? "login" : "signup");
          }}
        >
          {isNew ? "Sign in" : "Create an account"}
        </button>
      </p>
    </form>
  );
}
