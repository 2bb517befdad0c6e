import { useState } from "preact/hooks";
import type { ApiKey, ShownApiKey } from "../../../client/src/index.ts";
import { useAction, useLoad } from "../data.ts";
import { fullTime } from "../format.ts";
import { useClient } from "../session.tsx";
import { Button, Confirm, CopyButton, Dialog, Empty, Problem, Skeleton, Time, toast } from "../ui/index.ts";
import { KeyForm } from "./key-form.tsx";
import { keyState } from "./key-state.ts";
import "./keys.css";

/** How many keys are requested at once. */
const PAGE = 20;

/** The API keys of the account. A new one is shown once. */
export function KeysScreen() {
  const client = useClient();
  const [isCreating, setCreating] = useState(false);
  const [shown, setShown] = useState<ShownApiKey>();
  const readPage = (signal?: AbortSignal, cursor?: string) =>
    client.request("GET", "/api-keys", {
      query: { limit: PAGE, ...(cursor !== undefined && { cursor }) },
      ...(signal && { signal }),
    });
  const keys = useLoad(readPage, [client]);
  const more = useAction(async (cursor: string) => {
    const next = await readPage(undefined, cursor);
    keys.set({ ...next, items: [...(keys.data?.items ?? []), ...next.items] });
  });
  const create = (
    <Button kind="primary" icon="plus" onClick={() => setCreating(true)}>
      New key
    </Button>
  );
  const { data, error } = keys;
  return (
    <div class="page">
      <div class="page-head">
        <div>
          <h1>API keys</h1>
          <p class="muted">
            For programs that use your agents. A key can do what its scopes say, and nothing else.
          </p>
        </div>
        {data !== undefined && data.items.length > 0 && create}
      </div>
      {error !== undefined && <Problem error={error} retry={keys.reload} />}
      {data === undefined && error === undefined && <Skeleton lines={4} />}
      {data?.items.length === 0 && (
        <Empty icon="key" title="No keys yet" action={create}>
          A key lets a program send messages, read memory or fill knowledge bases in your name. You can revoke
          it at any time.
        </Empty>
      )}
      <ul class="key-list">
        {data?.items.map((key) => (
          <KeyRow key={key.key_id} apiKey={key} onRevoked={keys.reload} />
        ))}
      </ul>
      {data?.next_cursor && (
        <Button kind="quiet" busy={more.busy} onClick={() => void more.run(data.next_cursor ?? "")}>
          Show more
        </Button>
      )}
      {more.error !== undefined && <Problem error={more.error} />}
      {isCreating && (
        <Dialog title="New API key" onClose={() => setCreating(false)}>
          <KeyForm
            onCancel={() => setCreating(false)}
            onCreated={(key) => {
              setCreating(false);
              setShown(key);
              keys.reload();
            }}
          />
        </Dialog>
      )}
      {shown && <SecretDialog apiKey={shown} onClose={() => setShown(undefined)} />}
    </div>
  );
}

/** Shows the secret of a new key. It is in memory only as long as the dialog is open. */
function SecretDialog({ apiKey, onClose }: { readonly apiKey: ShownApiKey; readonly onClose: () => void }) {
  return (
    <Dialog
      title={`The key “${apiKey.name}”`}
      onClose={onClose}
      actions={
        <Button kind="primary" onClick={onClose}>
          I have stored it
        </Button>
      }
    >
      <div class="stack">
        <p>Copy it now: it is not stored and can’t be shown again.</p>
        <div class="row key-secret">
          <code class="mono">{apiKey.secret}</code>
          <CopyButton text={apiKey.secret} label="Copy the key" />
        </div>
        <p class="muted">
          Programs send it in the header <code class="mono">Authorization: Bearer …</code>
        </p>
      </div>
    </Dialog>
  );
}

function KeyRow({ apiKey, onRevoked }: { readonly apiKey: ApiKey; readonly onRevoked: () => void }) {
  const client = useClient();
  const [isAsking, setAsking] = useState(false);
  const { name, hint, scopes, agent_ids: agents, last_used_at: usedAt, expires_at: expiresAt } = apiKey;
  const state = keyState(apiKey, Date.now());
  return (
    <li class="card stack key-row" data-state={state}>
      <div class="row">
        <strong>{name}</strong>
        <code class="mono muted">{hint}</code>
        {state !== "valid" && <span class="badge">{state === "revoked" ? "Revoked" : "Expired"}</span>}
      </div>
      <p class="key-scopes">
        {scopes.map((scope) => (
          <span key={scope} class="badge">
            {scope}
          </span>
        ))}
      </p>
      <p class="muted">
        {agents === null ? "All agents" : agents.length === 1 ? "One agent" : `${agents.length} agents`} ·
        created <Time at={apiKey.created_at} /> ·{" "}
        {usedAt === null ? (
          "never used"
        ) : (
          <>
            used <Time at={usedAt} />
          </>
        )}
        {expiresAt !== null && ` · expires ${fullTime(expiresAt)}`}
      </p>
      {state === "valid" && (
        <div class="row">
          <Button small kind="danger" icon="trash" onClick={() => setAsking(true)}>
            Revoke<span class="visually-hidden"> {name}</span>
          </Button>
        </div>
      )}
      {isAsking && (
        <Confirm
          title={`Revoke “${name}”?`}
          confirmLabel="Revoke key"
          onConfirm={async () => {
            await client.request("DELETE", "/api-keys/{keyId}", { path: { keyId: apiKey.key_id } });
            onRevoked();
            toast(`The key “${name}” is revoked.`);
          }}
          onClose={() => setAsking(false)}
        >
          Programs that use it are refused at once. This can’t be undone.
        </Confirm>
      )}
    </li>
  );
}
