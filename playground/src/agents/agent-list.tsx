import { useState } from "preact/hooks";
import { useBus } from "../bus.ts";
import { useLoad } from "../data.ts";
import { href, navigate } from "../router.ts";
import { useClient } from "../session.tsx";
import type { Agent } from "../types.ts";
import { Empty, LinkButton, Menu, Problem, Skeleton } from "../ui/index.ts";
import { DeleteAgent } from "./agent-form.tsx";
import "./agents.css";

/** All agents of the account. */
export function AgentList() {
  const client = useClient();
  const { data: agents, error, reload } = useLoad((signal) => client.agents.list({ signal }), [client]);
  const [deleting, setDeleting] = useState<Agent>();
  useBus("agents-changed", reload);
  const create = (
    <LinkButton href={href("agents", "new")} kind="primary" icon="plus">
      New agent
    </LinkButton>
  );
  return (
    <div class="page">
      <header class="page-head">
        <div>
          <h1>Agents</h1>
          <p>Each has a character, a model, and a memory of its own.</p>
        </div>
        {agents !== undefined && agents.length > 0 && create}
      </header>
      {error !== undefined && <Problem error={error} retry={reload} />}
      {agents === undefined && error === undefined && <Skeleton lines={5} />}
      {agents?.length === 0 && (
        <div class="card">
          <Empty icon="agent" title="Create your first agent" action={create}>
            <p>
              Say who it is and which model answers. Then talk to it: what it learns about you appears beside
              the chat, line by line, and you can change or undo it.
            </p>
          </Empty>
        </div>
      )}
      {agents !== undefined && agents.length > 0 && (
        <ul class="agent-grid">
          {agents.map((agent) => (
            <AgentCard key={agent.agent_id} agent={agent} onDelete={() => setDeleting(agent)} />
          ))}
        </ul>
      )}
      {deleting && <DeleteAgent agent={deleting} onClose={() => setDeleting(undefined)} />}
    </div>
  );
}

function AgentCard({ agent, onDelete }: { readonly agent: Agent; readonly onDelete: () => void }) {
  return (
    <li class="agent-card card">
      <div class="agent-card-head">
        <span class="avatar agent-card-avatar" aria-hidden="true">
          {agent.agent_name.slice(0, 1).toUpperCase()}
        </span>
        <h2 class="agent-card-name">
          <a href={href("chat", agent.agent_id)}>{agent.agent_name}</a>
        </h2>
        <Menu
          label={`Actions for ${agent.agent_name}`}
          items={[
            { label: "Change", icon: "edit", onSelect: () => navigate("agents", agent.agent_id, "edit") },
            { label: "Delete", icon: "trash", danger: true, onSelect: onDelete },
          ]}
        />
      </div>
      <p class="agent-card-persona">{agent.agent_persona}</p>
      <p class="row">
        <span class="badge" data-kind="accent">
          {agent.agent_provider}
        </span>
        <span class="badge">{agent.agent_model ?? "default model"}</span>
      </p>
    </li>
  );
}
