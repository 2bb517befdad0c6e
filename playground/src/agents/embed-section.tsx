import { useState } from "preact/hooks";
import type { PublishableKey } from "../../../client/src/index.ts";
import { useAction, useLoad } from "../data.ts";
import { useClient } from "../session.tsx";
import type { Agent } from "../types.ts";
import {
  Button,
  Confirm,
  CopyButton,
  Field,
  fieldErrors,
  Problem,
  Skeleton,
  Switch,
  TextArea,
  TextInput,
  Time,
  toast,
} from "../ui/index.ts";
import { originsIn, snippetFor } from "./embed.ts";

/** The chat that other sites embed: the agent's publishable keys, and the line of HTML for each of them. */
export function EmbedSection({ agent }: { readonly agent: Agent }) {
  const client = useClient();
  const [isCreating, setCreating] = useState(false);
  const path = { agentId: agent.agent_id };
  const keys = useLoad(
    (signal) => client.request("GET", "/agents/{agentId}/api-keys", { path, signal }),
    [client, agent.agent_id],
  );
  const { data, error } = keys;
  return (
    <section class="card stack" aria-labelledby="embed">
      <h2 id="embed">Embed</h2>
      <p class="muted">
        A chat in the corner of your own pages. A publishable key lets their visitors talk to this agent, and
        do nothing else; it is no secret.
      </p>
      {error !== undefined && <Problem error={error} retry={keys.reload} />}
      {data === undefined && error === undefined && <Skeleton lines={2} />}
      {data?.map((key) => (
        <KeyCard key={key.key_id} publishableKey={key} onChanged={keys.reload} />
      ))}
      {isCreating ? (
        <KeyForm
          agentId={agent.agent_id}
          onClose={(isCreated) => {
            setCreating(false);
            if (isCreated) keys.reload();
          }}
        />
      ) : (
        data && (
          <div class="row">
            <Button icon="plus" onClick={() => setCreating(true)}>
              New publishable key
            </Button>
          </div>
        )
      )}
    </section>
  );
}

/** Creates a publishable key, or changes what an existing one allows. */
function KeyForm({
  agentId,
  existing,
  onClose,
}: {
  readonly agentId: string;
  readonly existing?: PublishableKey;
  readonly onClose: (isDone: boolean) => void;
}) {
  const client = useClient();
  const [name, setName] = useState(existing?.name ?? "");
  const [origins, setOrigins] = useState(existing?.allowed_origins.join("\n") ?? "");
  const [requiresSignIn, setRequiresSignIn] = useState(existing?.requires_sign_in ?? false);
  const { run, busy, error } = useAction(() => {
    const body = { name, allowed_origins: originsIn(origins), requires_sign_in: requiresSignIn };
    return existing
      ? client.request("PATCH", "/agents/{agentId}/api-keys/{keyId}", {
          path: { agentId, keyId: existing.key_id },
          body,
        })
      : client.request("POST", "/agents/{agentId}/api-keys", { path: { agentId }, body });
  });
  const errors = fieldErrors(error);
  return (
    <form
      class="embed-key stack"
      aria-label={existing ? `Change ${existing.name}` : "New publishable key"}
      onSubmit={(event) => {
        event.preventDefault();
        void run().then((isDone) => isDone && onClose(true));
      }}
    >
      {error !== undefined && <Problem error={error} />}
      <Field label="Name" help="Visitors see it above the chat." error={errors["name"]}>
        {(ids) => <TextInput {...ids} value={name} onValue={setName} required maxLength={100} />}
      </Field>
      <Field
        label="Allowed pages"
        optional
        help="Origins such as https://shop.example.com, one on each line. Without any, every page may use the key."
        error={errors["allowed_origins"]}
      >
        {(ids) => <TextArea {...ids} value={origins} onValue={setOrigins} spellcheck={false} />}
      </Field>
      <Switch label="Visitors sign in with Google" checked={requiresSignIn} onChecked={setRequiresSignIn} />
      <div class="row">
        <Button type="submit" kind="primary" busy={busy}>
          {existing ? "Save the key" : "Create the key"}
        </Button>
        <Button kind="quiet" onClick={() => onClose(false)}>
          Cancel
        </Button>
      </div>
    </form>
  );
}

interface KeyCardProps {
  readonly publishableKey: PublishableKey;
  readonly onChanged: () => void;
}

function KeyCard({ publishableKey, onChanged }: KeyCardProps) {
  const client = useClient();
  const [isAsking, setAsking] = useState(false);
  const [isChanging, setChanging] = useState(false);
  const { agent_id: agentId, key_id: keyId, name, is_active: isActive } = publishableKey;
  const { allowed_origins: origins, request_count: requests, last_used_at: usedAt } = publishableKey;
  const path = { agentId, keyId };
  const snippet = snippetFor(location.origin, publishableKey);
  const change = useAction(async () => {
    await client.request("PATCH", "/agents/{agentId}/api-keys/{keyId}", {
      path,
      body: { is_active: !isActive },
    });
    onChanged();
  });
  if (isChanging)
    return (
      <KeyForm
        agentId={agentId}
        existing={publishableKey}
        onClose={(isDone) => {
          setChanging(false);
          if (isDone) onChanged();
        }}
      />
    );
  return (
    <article class="embed-key stack" aria-label={name}>
      <div class="row">
        <strong>{name}</strong>
        {!isActive && <span class="badge">Disabled</span>}
        {publishableKey.requires_sign_in && <span class="badge">Sign-in</span>}
      </div>
      <p class="muted">
        {origins.length === 0 ? "All pages" : origins.join(", ")} ·{" "}
        {requests === 1 ? "1 request" : `${requests} requests`}
        {usedAt !== null && (
          <>
            , the last <Time at={usedAt} />
          </>
        )}
      </p>
      <div class="row embed-snippet">
        <code class="mono">{snippet}</code>
        <CopyButton text={snippet} label={`Copy the HTML of ${name}`} />
      </div>
      <div class="row">
        <Button small onClick={() => setChanging(true)}>
          Change<span class="visually-hidden"> {name}</span>
        </Button>
        <Button small busy={change.busy} onClick={() => void change.run()}>
          {isActive ? "Disable" : "Enable"}
          <span class="visually-hidden"> {name}</span>
        </Button>
        <Button small kind="danger" icon="trash" onClick={() => setAsking(true)}>
          Delete<span class="visually-hidden"> {name}</span>
        </Button>
      </div>
      {change.error !== undefined && <Problem error={change.error} />}
      {isAsking && (
        <Confirm
          title={`Delete “${name}”?`}
          confirmLabel="Delete key"
          onConfirm={async () => {
            await client.request("DELETE", "/agents/{agentId}/api-keys/{keyId}", { path });
            onChanged();
            toast(`The key “${name}” is deleted.`);
          }}
          onClose={() => setAsking(false)}
        >
          The chat stops working on all pages with this key at once. This can’t be undone.
        </Confirm>
      )}
    </article>
  );
}
