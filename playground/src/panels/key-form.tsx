import { useState } from "preact/hooks";
import type { ShownApiKey } from "../../../client/src/index.ts";
import { useAction, useLoad } from "../data.ts";
import { useClient } from "../session.tsx";
import { Button, Field, fieldErrors, Problem, TextInput } from "../ui/index.ts";
import { endOfDay, type Scope, SCOPE_ROWS } from "./key-state.ts";

interface KeyFormProps {
  readonly onCancel: () => void;
  readonly onCreated: (key: ShownApiKey) => void;
}

/** Asks for the name of a new key, what it may do, with which agents, and until when. */
export function KeyForm({ onCancel, onCreated }: KeyFormProps) {
  const client = useClient();
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<ReadonlySet<Scope>>(
    new Set<Scope>(["conversations:read", "conversations:write"]),
  );
  const [agentIds, setAgentIds] = useState<ReadonlySet<string>>(new Set());
  const [expiry, setExpiry] = useState("");
  const agents = useLoad((signal) => client.request("GET", "/agents", { signal }), [client]);
  const create = useAction(async () => {
    const expiresAt = endOfDay(expiry);
    const key = await client.request("POST", "/api-keys", {
      body: {
        name,
        scopes: [...scopes],
        ...(agentIds.size > 0 && { agent_ids: [...agentIds] }),
        ...(expiresAt !== undefined && { expires_at: expiresAt }),
      },
    });
    onCreated(key);
  });
  const errors = fieldErrors(create.error);
  const isAtField = ["name", "scopes", "expires_at"].some((field) => errors[field] !== undefined);
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void create.run();
      }}
    >
      <Field label="Name" help="What the key is for." error={errors["name"]}>
        {(ids) => <TextInput {...ids} autofocus required maxLength={100} value={name} onValue={setName} />}
      </Field>
      <fieldset class="key-fieldset">
        <legend>What it may do</legend>
        {errors["scopes"] !== undefined && (
          <p class="field-error" role="alert">
            {errors["scopes"]}
          </p>
        )}
        {SCOPE_ROWS.map(({ label, help, read, write }) => (
          <div key={label} class="key-scope">
            <span>
              {label}
              <span class="muted"> {help}</span>
            </span>
            <Check
              label="Read"
              about={label}
              checked={scopes.has(read)}
              onChecked={() => setScopes(toggled(scopes, read))}
            />
            <Check
              label="Change"
              about={label}
              checked={scopes.has(write)}
              onChecked={() => setScopes(toggled(scopes, write))}
            />
          </div>
        ))}
      </fieldset>
      {agents.data !== undefined && agents.data.length > 0 && (
        <fieldset class="key-fieldset">
          <legend>Only with these agents</legend>
          <p class="muted">Choose none to allow all of them, later ones included.</p>
          {agents.data.map(({ agent_id: id, agent_name: agentName }) => (
            <Check
              key={id}
              label={agentName}
              checked={agentIds.has(id)}
              onChecked={() => setAgentIds(toggled(agentIds, id))}
            />
          ))}
        </fieldset>
      )}
      <Field
        label="Last day"
        optional
        help="Without one, the key is valid until you revoke it."
        error={errors["expires_at"]}
      >
        {(ids) => <TextInput {...ids} type="date" value={expiry} onValue={setExpiry} />}
      </Field>
      {create.error !== undefined && !isAtField && <Problem error={create.error} />}
      <div class="row">
        <Button type="submit" kind="primary" busy={create.busy}>
          Create key
        </Button>
        <Button kind="quiet" onClick={onCancel}>
          Cancel
        </Button>
      </div>
    </form>
  );
}

interface CheckProps {
  readonly label: string;
  /** What it is about, for screen readers, if the label alone does not say it. */
  readonly about?: string;
  readonly checked: boolean;
  readonly onChecked: () => void;
}

/** A box to tick. */
export function Check({ label, about, checked, onChecked }: CheckProps) {
  return (
    <label class="key-check">
      <input type="checkbox" class="key-box" checked={checked} onChange={onChecked} />
      <span>
        {about !== undefined && <span class="visually-hidden">{about}: </span>}
        {label}
      </span>
    </label>
  );
}

/** Returns a set with a member that it did not have, or without one that it had. */
function toggled<T>(members: ReadonlySet<T>, member: T): ReadonlySet<T> {
  const next = new Set(members);
  if (!next.delete(member)) next.add(member);
  return next;
}
