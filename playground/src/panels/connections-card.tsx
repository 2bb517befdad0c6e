import { useState } from "preact/hooks";
import type { McpConnection } from "../../../client/src/index.ts";
import { useAction, useLoad } from "../data.ts";
import { useClient } from "../session.tsx";
import { Button, Confirm, Problem, Skeleton, Time, toast } from "../ui/index.ts";

/** The MCP clients that may use agents of the account. */
export function ConnectionsCard() {
  const client = useClient();
  const readPage = (signal?: AbortSignal, cursor?: string) =>
    client.request("GET", "/users/me/mcp-connections", {
      query: { ...(cursor !== undefined && { cursor }) },
      ...(signal && { signal }),
    });
  const connections = useLoad(readPage, [client]);
  const more = useAction(async (cursor: string) => {
    const next = await readPage(undefined, cursor);
    connections.set({ ...next, items: [...(connections.data?.items ?? []), ...next.items] });
  });
  const { data, error } = connections;
  return (
    <section class="card stack" aria-labelledby="account-connections">
      <h2 id="account-connections">Connected programs</h2>
      {error !== undefined && <Problem error={error} retry={connections.reload} />}
      {data === undefined && error === undefined && <Skeleton lines={2} />}
      {data?.items.length === 0 && (
        <p class="muted">No MCP client is connected. Enter the address of an agent in one to begin.</p>
      )}
      <ul class="account-sessions">
        {data?.items.map((connection) => (
          <ConnectionRow
            key={connection.connection_id}
            connection={connection}
            onEnded={connections.reload}
          />
        ))}
      </ul>
      {data?.next_cursor && (
        <Button kind="quiet" busy={more.busy} onClick={() => void more.run(data.next_cursor ?? "")}>
          Show more
        </Button>
      )}
      {more.error !== undefined && <Problem error={more.error} />}
    </section>
  );
}

interface ConnectionRowProps {
  readonly connection: McpConnection;
  readonly onEnded: () => void;
}

function ConnectionRow({ connection, onEnded }: ConnectionRowProps) {
  const client = useClient();
  const [isAsking, setAsking] = useState(false);
  const { client_name: name, redirect_host: host, last_used_at: usedAt } = connection;
  return (
    <li class="list-row">
      <span>
        {name}
        <span class="muted">
          {" "}
          · {host} · {usedAt === null ? "never used" : <Time at={usedAt} />}
        </span>
      </span>
      <Button small kind="quiet" onClick={() => setAsking(true)}>
        Disconnect<span class="visually-hidden"> {name}</span>
      </Button>
      {isAsking && (
        <Confirm
          title={`Disconnect “${name}”?`}
          confirmLabel="Disconnect"
          onConfirm={async () => {
            await client.request("DELETE", "/users/me/mcp-connections/{connectionId}", {
              path: { connectionId: connection.connection_id },
            });
            onEnded();
            toast(`“${name}” is disconnected.`);
          }}
          onClose={() => setAsking(false)}
        >
          It can’t use your agent any more, from now on. You can connect it again.
        </Confirm>
      )}
    </li>
  );
}
