import { expect, it } from "vitest";
import { databaseRequests, injectFault } from "./support/control.ts";

it.each(["EndUser#visitor", "McpCall#", "UpdateItem", "A lost talk", "Usage#2026-11"])(
  "refuses %j, which requests of other files that run at the same time can contain",
  async (text) => {
    const id = crypto.randomUUID();

    await expect(injectFault({ match: [id, text], fault: { kind: "refuse" } })).rejects.toThrow(`"${text}"`);
    await expect(databaseRequests(id, text)).rejects.toThrow(`"${text}"`);
    expect(await databaseRequests(id)).toEqual([]);
  },
);
