import { expect, it } from "vitest";
import { HttpToolCalls } from "../../src/http-tools/calls.ts";
import { HttpToolRepository } from "../../src/http-tools/repository.ts";
import { HttpToolSecrets } from "../../src/http-tools/secrets.ts";
import { HttpToolSender } from "../../src/http-tools/sender.ts";
import { HttpToolService } from "../../src/http-tools/service.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { Vault, type VaultKey } from "../../src/shared/encryption.ts";
import { beginConversation, signUp, table } from "../support/app.ts";

const keyOf = (id: string, byte: number): VaultKey => ({ id, secret: new Uint8Array(32).fill(byte) });
const OLD = keyOf("old", 1);
const NEW = keyOf("new", 2);
const CANARY = "canary-secret-0123456789";

const settings = {
  name: "look_up",
  description: "Look something up.",
  parameters: { type: "object", properties: {} },
  request: {
    method: "GET",
    url: "https://api.example.org/",
    headers: { "X-Key": "{{secrets.key}}" },
    body: null,
  },
  timeoutSeconds: 10,
  enabled: true,
  secrets: { key: CANARY },
} as const;

/** The service with a ring of keys, and the keys that the server of the tools was sent. */
function deploymentWith(...keys: readonly [VaultKey, ...VaultKey[]]) {
  const sent: (string | null)[] = [];
  const tools = new HttpToolRepository({ table });
  const secrets = new HttpToolSecrets({ vault: new Vault(keys) });
  const policy = { isLocal: false, ownHosts: [], allowedOrigins: [] };
  const sender = new HttpToolSender({
    ...policy,
    fetch: (input) => {
      sent.push((input as Request).headers.get("x-key"));
      return Promise.resolve(new Response("Found."));
    },
    resolve: () => Promise.resolve(["93.184.216.34"]),
  });
  const service = new HttpToolService({ tools, secrets, sender, policy, clock: systemClock });
  return { tools, secrets, sender, service, sent };
}

async function newPlace() {
  const client = await signUp();
  const { agentId } = await beginConversation(client);
  return { accountEmail: client.email, agentId };
}

it("encrypts secrets with a new key when their tool is used, once for all calls of a turn", async () => {
  const place = await newPlace();
  const { id } = await deploymentWith(OLD).service.create(place, settings, undefined);
  const { tools, secrets, sender, service, sent } = deploymentWith(NEW, OLD);
  const before = await tools.state(place);
  const later: (() => Promise<void>)[] = [];
  const calls = new HttpToolCalls({
    place,
    tools: before.tools,
    secrets,
    sender,
    clock: systemClock,
    renew: (where, toolId) => service.renew(where, toolId),
    follow: (work) => void later.push(work),
  });

  for (const tool of [...calls.tools, ...calls.tools])
    expect(await calls.call(tool, {}, new AbortController().signal)).toContain("Found.");
  for (const work of later) await work();

  const after = await tools.state(place);
  expect(after.revision).toBe((before.revision ?? 0) + 1);
  expect(after.tools).toEqual([{ ...before.tools[0], sealedSecrets: expect.stringMatching(/^v1\.new\./u) }]);
  const withoutOld = deploymentWith(NEW);
  expect(await withoutOld.service.try(place, id, {})).toMatchObject({ answer: { status: 200 } });
  expect([...sent, ...withoutOld.sent]).toEqual([CANARY, CANARY, CANARY]);
});

it("keeps a secret that was replaced while an older one was to be encrypted again", async () => {
  const place = await newPlace();
  const { id } = await deploymentWith(OLD).service.create(place, settings, undefined);
  const { service } = deploymentWith(NEW, OLD);

  await Promise.all([
    service.renew(place, id),
    service.update(place, id, { request: {}, secrets: { key: "another-secret" } }),
  ]);

  const after = deploymentWith(NEW);
  await after.service.try(place, id, {});
  expect(after.sent).toEqual(["another-secret"]);
});

it("does nothing for a tool that is gone, and throws nothing if its agent is", async () => {
  const place = await newPlace();
  const { service, tools } = deploymentWith(NEW);

  await service.renew(place, "nothing");
  await service.renew({ ...place, agentId: (await newPlace()).agentId }, "nothing");

  expect(await tools.state(place)).toMatchObject({ tools: [] });
});
