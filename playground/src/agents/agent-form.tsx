import { useState } from "preact/hooks";
import { bus } from "../bus.ts";
import { useLoad } from "../data.ts";
import { SchemaForm } from "../forms/schema-form.tsx";
import type { Values } from "../forms/rules.ts";
import { href, navigate } from "../router.ts";
import { useClient } from "../session.tsx";
import type { Agent, Form } from "../types.ts";
import { Button, Confirm, LinkButton, Problem, Skeleton, toast } from "../ui/index.ts";
import { changesIn, valuesOf } from "./agent-values.ts";
import { EmbedSection } from "./embed-section.tsx";

/** Creates an agent, or changes the one with an id. */
export function AgentForm({ agentId }: { readonly agentId: string | undefined }) {
  const client = useClient();
  const { data, error, reload } = useLoad(
    async (signal): Promise<{ form: Form; agent: Agent | undefined }> => {
      if (agentId === undefined) return { form: await client.agents.form({ signal }), agent: undefined };
      const [form, agent] = await Promise.all([
        client.agents(agentId).form({ signal }),
        client.agents(agentId).get({ signal }),
      ]);
      return { form, agent };
    },
    [client, agentId],
  );
  return (
    <div class="page page-narrow">
      <header class="page-head">
        <div>
          <h1>{agentId === undefined ? "New agent" : "Change the agent"}</h1>
          <p>
            {agentId === undefined
              ? "Give it a name and say who it is. Everything can be changed later."
              : (data?.agent?.agent_name ?? " ")}
          </p>
        </div>
      </header>
      <div class="card">
        {error !== undefined && <Problem error={error} retry={reload} />}
        {data === undefined && error === undefined && <Skeleton lines={8} />}
        {data && (data.agent ? <Change {...data} agent={data.agent} /> : <Create form={data.form} />)}
      </div>
      {data?.agent && (
        <>
          <EmbedSection agent={data.agent} />
          <Deletion agent={data.agent} />
        </>
      )}
    </div>
  );
}

function Create({ form }: { readonly form: Form }) {
  const client = useClient();
  const create = async (values: Values) => {
    const filled = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ""));
    const { data, headers } = await client.exchange("POST", "/agents", {
      // The service checks the members; the form has come from it.
      body: filled as never,
    });
    warn(headers);
    bus.emit({ type: "agents-changed" });
    navigate("chat", data.agent_id);
  };
  return (
    <SchemaForm
      form={form}
      folds
      submitLabel="Create the agent"
      onSubmit={create}
      actions={
        <LinkButton href={href("agents")} kind="quiet">
          Cancel
        </LinkButton>
      }
    />
  );
}

function Change({ form, agent }: { readonly form: Form; readonly agent: Agent }) {
  const client = useClient();
  const stored = valuesOf(agent, form);
  const change = async (values: Values) => {
    const { headers } = await client.exchange("PATCH", "/agents/{agentId}", {
      path: { agentId: agent.agent_id },
      body: changesIn(values, stored),
    });
    warn(headers);
    bus.emit({ type: "agents-changed" });
    toast(`${agent.agent_name} is changed.`, { kind: "ok" });
    navigate("chat", agent.agent_id);
  };
  return (
    <SchemaForm
      form={form}
      values={stored}
      folds
      submitLabel="Save"
      onSubmit={change}
      actions={
        <LinkButton href={href("chat", agent.agent_id)} kind="quiet">
          Cancel
        </LinkButton>
      }
    />
  );
}

/** Shows what the service could not check. The request has succeeded nevertheless. */
function warn(headers: Headers): void {
  const warning = headers.get("x-warning");
  if (warning !== null) toast(warning);
}

function Deletion({ agent }: { readonly agent: Agent }) {
  const [isAsking, setAsking] = useState(false);
  return (
    <div class="row">
      <Button kind="danger" icon="trash" onClick={() => setAsking(true)}>
        Delete the agent
      </Button>
      {isAsking && <DeleteAgent agent={agent} onClose={() => setAsking(false)} />}
    </div>
  );
}

/** Asks before an agent is deleted, and deletes it. */
export function DeleteAgent({ agent, onClose }: { readonly agent: Agent; readonly onClose: () => void }) {
  const client = useClient();
  const remove = async () => {
    const isDone = await client.agents(agent.agent_id).delete();
    bus.emit({ type: "agents-changed" });
    toast(
      isDone
        ? `${agent.agent_name} is deleted.`
        : `${agent.agent_name} is being deleted. Deleting it again goes on with it.`,
      { kind: "ok" },
    );
    navigate("agents");
  };
  return (
    <Confirm title={`Delete ${agent.agent_name}?`} confirmLabel="Delete" onConfirm={remove} onClose={onClose}>
      <p>Its conversations and everything that it remembers are deleted, too. This cannot be undone.</p>
    </Confirm>
  );
}
