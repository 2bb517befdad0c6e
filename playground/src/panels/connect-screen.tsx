import { useEffect, useState } from "preact/hooks";
import { ApiError, type ConsentQuestion } from "../../../client/src/index.ts";
import { forgetRequest, waitingRequest } from "../connect-request.ts";
import { useAction, useLoad } from "../data.ts";
import { href } from "../router.ts";
import { useClient, useSession, useSignOut } from "../session.tsx";
import { Button, Empty, LinkButton, Problem, Skeleton } from "../ui/index.ts";
import { SCOPE_TEXTS } from "./connection-texts.ts";
import { Check } from "./key-form.tsx";
import "./connect.css";

/**
 * Asks whether an MCP client may use an agent. Threat: another site can lead people here, so that nothing is granted without a click, and
 * the page says who asks, where the answer goes, and for which account.
 */
export function ConnectScreen() {
  const client = useClient();
  const [request] = useState(waitingRequest);
  const question = useLoad(
    async (signal) =>
      request === null
        ? null
        : client.request("POST", "/oauth/consent/question", { body: { request }, signal }),
    [client, request],
  );
  useEffect(() => {
    document.title = "Connect a program · Dynamic Agent Builder";
  }, []);
  const { data, error } = question;
  const isForeign = error instanceof ApiError && error.status === 404;
  return (
    <main class="splash">
      <section class="card connect">
        {data === undefined && error === undefined && <Skeleton lines={5} />}
        {data === null && <NothingAsked />}
        {isForeign && (
          <>
            <h1>This agent is not yours</h1>
            <p>The program asks for an agent that does not belong to this account, or that was deleted.</p>
            <Account />
          </>
        )}
        {error !== undefined && !isForeign && (
          <>
            <h1>The program can’t be connected</h1>
            <Problem error={error} retry={question.reload} />
          </>
        )}
        {data && data.agent === null && <Fault question={data} />}
        {data && data.agent !== null && request !== null && (
          <Question question={data} agentName={data.agent.agent_name} request={request} />
        )}
      </section>
    </main>
  );
}

function NothingAsked() {
  return (
    <Empty
      icon="key"
      title="No program is asking"
      action={<LinkButton href={href("agents")}>Go to your agents</LinkButton>}
    >
      <p>Begin in the program that you want to connect: enter the MCP address of an agent there.</p>
    </Empty>
  );
}

/** Says why a request can't be granted. The client is told when the person goes back. */
function Fault({ question }: { readonly question: ConsentQuestion }) {
  return (
    <>
      <h1>{question.client_name} can’t be connected</h1>
      <p>{question.fault}</p>
      <Button onClick={() => leaveTo(question.decline_to)}>Go back to {question.redirect_host}</Button>
    </>
  );
}

interface QuestionProps {
  readonly question: ConsentQuestion;
  readonly agentName: string;
  readonly request: string;
}

function Question({ question, agentName, request }: QuestionProps) {
  const client = useClient();
  const { client_name: name, client_host: host, redirect_host: target, scopes } = question;
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set(scopes));
  const [hasLeft, setLeft] = useState(false);
  const isSettled = useSettled();
  const allow = useAction(async () => {
    const agreed = SCOPE_TEXTS.map(({ scope }) => scope).filter((scope) => chosen.has(scope));
    const { redirect_to: address } = await client.request("POST", "/oauth/consent", {
      body: { request, scopes: agreed },
    });
    setLeft(true);
    leaveTo(address);
  });
  if (hasLeft)
    return (
      <>
        <h1>Connected</h1>
        <p role="status">Go on in {name}. You can close this page.</p>
      </>
    );
  return (
    <>
      <h1>
        Let {name} use {agentName}?
      </h1>
      <dl class="connect-facts">
        <dt>Program</dt>
        <dd>
          {name}
          <span class="muted">
            {host === null ? " (its own words, which nobody has verified)" : ` (published by ${host})`}
          </span>
        </dd>
        <dt>Answer goes to</dt>
        <dd>
          {target}
          {question.redirects_to_own_machine && <span class="muted"> (a program on this device)</span>}
        </dd>
        <dt>Agent</dt>
        <dd>{agentName}</dd>
      </dl>
      <fieldset class="connect-scopes">
        <legend>It may</legend>
        {SCOPE_TEXTS.filter(({ scope }) => scopes.includes(scope)).map(({ scope, label }) => (
          <Check
            key={scope}
            label={label}
            checked={chosen.has(scope)}
            onChecked={() => {
              const next = new Set(chosen);
              if (!next.delete(scope)) next.add(scope);
              setChosen(next);
            }}
          />
        ))}
      </fieldset>
      <p class="notice">Only agree if you have just begun this in the program yourself.</p>
      {allow.error !== undefined && <Problem error={allow.error} />}
      <div class="row">
        <Button
          kind="primary"
          busy={allow.busy}
          disabled={chosen.size === 0 || !isSettled}
          onClick={() => void allow.run()}
        >
          Allow
        </Button>
        <Button onClick={() => leaveTo(question.decline_to)}>Don’t allow</Button>
      </div>
      <Account />
    </>
  );
}

/** How long the page has to be in front before anything can be allowed, in milliseconds: longer than a double click takes. */
const SETTLE_MS = 1_000;

/**
 * Returns whether the page has been in front for a second. Threat: another site can open a window above this page and close it between the two
 * clicks of a double click, so that the second one would allow something that the person has not seen.
 */
function useSettled(): boolean {
  const [isSettled, setSettled] = useState(false);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const restart = () => {
      clearTimeout(timer);
      setSettled(false);
      if (document.hasFocus()) timer = setTimeout(() => setSettled(true), SETTLE_MS);
    };
    restart();
    addEventListener("focus", restart);
    addEventListener("blur", restart);
    return () => {
      clearTimeout(timer);
      removeEventListener("focus", restart);
      removeEventListener("blur", restart);
    };
  }, []);
  return isSettled;
}

/** Says for which account the person decides. */
function Account() {
  const { email } = useSession();
  const signOut = useSignOut();
  const leave = useAction(() => signOut());
  return (
    <p class="small muted">
      You are signed in as {email}.{" "}
      <button type="button" class="text-button" onClick={() => void leave.run()}>
        Use another account
      </button>
    </p>
  );
}

/** The service has checked that the address is one of the client's own. */
function leaveTo(address: string): void {
  forgetRequest();
  location.assign(address);
}
