import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { MemoryBlock } from "../../../client/src/index.ts";
import { useBus } from "../bus.ts";
import { useLoad } from "../data.ts";
import { useClient } from "../session.tsx";
import {
  changeSentence,
  type ShownContents,
  withContent,
  withoutBlock,
  withoutMarks,
} from "./memory-state.ts";

/** An agent's core memory, which changes while it is shown. */
export interface LiveMemory {
  /** `undefined` until they are read for the first time. */
  readonly blocks: readonly MemoryBlock[] | undefined;
  readonly contents: ShownContents;
  /** Why the blocks or their lines could not be read. */
  readonly error: unknown;
  /** What has changed last, as a sentence to announce. */
  readonly news: string;
  /** Reads the blocks and their lines again. */
  readonly reload: () => void;
  /** Reads the lines of a block again. */
  readonly reloadBlock: (name: string) => void;
  /** Forgets a block that was deleted. */
  readonly forget: (name: string) => void;
}

/** Reads the core memory of an agent, and again whenever an answer changes it. The agent must stay the same. */
export function useMemory(agentId: string): LiveMemory {
  const client = useClient();
  const [contents, setContents] = useState<ShownContents>(new Map());
  const [contentError, setContentError] = useState<unknown>();
  const list = useLoad(
    (signal) => client.request("GET", "/agents/{agentId}/memory-blocks", { path: { agentId }, signal }),
    [client, agentId],
  );
  // The number of the latest request whose answer is shown, by block: answers may overtake each other.
  const requests = useRef(0);
  const shown = useRef(new Map<string, number>());

  const read = useCallback(
    async (blockName: string): Promise<void> => {
      requests.current += 1;
      const request = requests.current;
      try {
        const { data, headers } = await client.exchange(
          "GET",
          "/agents/{agentId}/memory-blocks/{blockName}/content",
          { path: { agentId, blockName } },
        );
        if (data === undefined || request < (shown.current.get(blockName) ?? 0)) return;
        shown.current.set(blockName, request);
        setContentError(undefined);
        setContents((known) => withContent(known, data, headers.get("etag")));
      } catch (thrown) {
        setContentError(thrown);
      }
    },
    [client, agentId],
  );

  const names = list.data?.map(({ block_name: name }) => name).join(" ") ?? "";
  useEffect(() => {
    for (const name of names === "" ? [] : names.split(" ")) void read(name);
  }, [names, read]);

  useBus("run-event", ({ agentId: source, event }) => {
    if (source !== agentId) return;
    if (event.event_type === "MESSAGE_SAVED") setContents(withoutMarks);
    if (event.event_type !== "MEMORY_UPDATED") return;
    void read(event.block);
    if (!names.split(" ").includes(event.block)) list.reload();
  });
  // The agent may have created or deleted blocks.
  useBus("run-ended", ({ agentId: source }) => {
    if (source === agentId) list.reload();
  });

  return {
    blocks: list.data,
    contents,
    error: list.error ?? contentError,
    news: [...contents].flatMap(([name, content]) => changeSentence(name, content) ?? []).join(" "),
    reload: () => {
      list.reload();
      for (const name of contents.keys()) void read(name);
    },
    reloadBlock: (name) => void read(name),
    forget: (name) => {
      setContents((known) => withoutBlock(known, name));
      list.reload();
    },
  };
}
