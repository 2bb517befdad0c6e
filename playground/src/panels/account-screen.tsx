import { useState } from "preact/hooks";
import { useAction, useLoad } from "../data.ts";
import { formatNumber } from "../format.ts";
import { useClient, useSession, useSignOut } from "../session.tsx";
import { Button, Confirm, Problem, Skeleton, Time, toast } from "../ui/index.ts";
import { ConnectionsCard } from "./connections-card.tsx";
import { exportEnding } from "./export-check.ts";
import { downloadExport } from "./download-export.ts";
import "./account.css";

/** Who is signed in and where; everything that is stored as a file; and the end of it all. */
export function AccountScreen() {
  const { name, email } = useSession();
  const signOut = useSignOut();
  const leave = useAction(() => signOut());
  return (
    <div class="page">
      <div class="page-head">
        <h1>Account</h1>
      </div>
      <section class="card stack" aria-labelledby="account-who">
        <h2 id="account-who">{name}</h2>
        <p class="muted">{email}</p>
        <div class="row">
          <Button icon="signOut" busy={leave.busy} onClick={() => void leave.run()}>
            Sign out
          </Button>
        </div>
        {leave.error !== undefined && <Problem error={leave.error} />}
      </section>
      <Sessions />
      <ConnectionsCard />
      <ExportCard />
      <DeletionCard email={email} />
    </div>
  );
}

function Sessions() {
  const client = useClient();
  const sessions = useLoad((signal) => client.request("GET", "/auth/sessions", { signal }), [client]);
  const end = useAction(async (sessionId: string) => {
    await client.request("DELETE", "/auth/sessions/{sessionId}", { path: { sessionId } });
    sessions.reload();
  });
  const { data, error } = sessions;
  return (
    <section class="card stack" aria-labelledby="account-sessions">
      <h2 id="account-sessions">Signed in on</h2>
      {error !== undefined && <Problem error={error} retry={sessions.reload} />}
      {data === undefined && error === undefined && <Skeleton lines={2} />}
      {data?.items.length === 0 && <p class="muted">No other device keeps you signed in.</p>}
      <ul class="account-sessions">
        {data?.items.map((session) => (
          <li key={session.session_id} class="list-row">
            <span>
              {session.device}
              <span class="muted">
                {" "}
                · <Time at={session.last_used_at} />
                {session.current && " · this browser"}
              </span>
            </span>
            {!session.current && (
              <Button small kind="quiet" busy={end.busy} onClick={() => void end.run(session.session_id)}>
                End<span class="visually-hidden"> the session on {session.device}</span>
              </Button>
            )}
          </li>
        ))}
      </ul>
      {end.error !== undefined && <Problem error={end.error} />}
    </section>
  );
}

function ExportCard() {
  const client = useClient();
  const [received, setReceived] = useState<number>();
  const [result, setResult] = useState<string>();
  const download = useAction(async () => {
    setResult(undefined);
    setReceived(0);
    try {
      const ending = exportEnding(await downloadExport(client, setReceived));
      if (ending.kind === "incomplete") throw new Error(ending.detail);
      setResult(`${formatNumber(ending.items)} items are in account.ndjson.`);
    } finally {
      setReceived(undefined);
    }
  });
  return (
    <section class="card stack" aria-labelledby="account-export">
      <h2 id="account-export">Take everything with you</h2>
      <p class="muted">
        Agents, conversations, memories and knowledge bases as one file, a line of JSON for each. Secrets are
        left out.
      </p>
      <div class="row">
        <Button icon="archive" busy={download.busy} onClick={() => void download.run()}>
          Export everything
        </Button>
        <span class="muted" role="status">
          {received !== undefined ? `${formatNumber(received)} items so far` : result}
        </span>
      </div>
      {download.error !== undefined && <Problem error={download.error} />}
    </section>
  );
}

function DeletionCard({ email }: { readonly email: string }) {
  const client = useClient();
  const signOut = useSignOut();
  const [isAsking, setAsking] = useState(false);
  return (
    <section class="card stack account-danger" aria-labelledby="account-deletion">
      <h2 id="account-deletion">Delete the account</h2>
      <p class="muted">
        Deletes the account with its agents, conversations, memories, knowledge bases and keys, and everything
        of your end users.
      </p>
      <div class="row">
        <Button kind="danger" icon="trash" onClick={() => setAsking(true)}>
          Delete account
        </Button>
      </div>
      {isAsking && (
        <Confirm
          title="Delete the account?"
          confirmLabel="Delete everything"
          typed={email}
          onConfirm={async () => {
            const { detail } = await client.request("DELETE", "/users/me");
            toast("The account is deleted.");
            // The service has ended the session, so there may be nothing left to sign out from.
            await signOut(detail).catch(() => undefined);
          }}
          onClose={() => setAsking(false)}
        >
          Its tokens and keys become invalid at once, and a subscription ends. This can’t be undone. Export
          everything first if you may want it later.
        </Confirm>
      )}
    </section>
  );
}
