import type { TestProject } from "vitest/node";
import { buildAssets } from "../../scripts/assets.ts";
import { demoResponder } from "../../scripts/demo-model.ts";
import { startEmbeddedDynamoDb } from "../../scripts/embedded-dynamodb.ts";
import { type ReplyStep, startModelServer } from "../../scripts/model-server.ts";
import { startOpenIdServer } from "../../scripts/openid-server.ts";
import { ensureTable } from "../../scripts/table.ts";
import type { ScriptStep } from "../support/control-protocol.ts";
import { startControlServer, type Scripts } from "./control-server.ts";
import { withinWindow } from "./model-window.ts";
import { startFakeStripe } from "./fake-stripe.ts";
import { startEmbeddingsServer } from "./embeddings-server.ts";
import { startFaultProxy } from "./fault-proxy.ts";
import { startRerankServer } from "./rerank-server.ts";
import { McpSites } from "./mcp-site-server.ts";
import { Sites } from "./site-server.ts";
import { startTrap } from "./trap.ts";
import { startIssuer } from "./issuer.ts";

const TEST_TABLE = "test-table";
const REGION = "us-east-1";

/** Plays a reply. Its steps that hold wait for their release. */
async function* played(
  reply: readonly ScriptStep[],
  released: (name: string) => Promise<void>,
): AsyncIterable<ReplyStep> {
  for (const step of reply) {
    if ("hold" in step) await released(step.hold === true ? "" : step.hold);
    else yield step;
  }
}

/** The servers that tests run against: the database, a proxy with faults before it, models, and their remote control. */
export default async function setup(project: TestProject) {
  await buildAssets();
  const database = await startEmbeddedDynamoDb({});
  const credentials = { accessKeyId: "local", secretAccessKey: "local" };
  await ensureTable({ endpoint: database.endpoint, region: REGION, table: TEST_TABLE, credentials });

  const proxy = await startFaultProxy(database.endpoint);
  const scripts: Scripts = new Map();
  const model = await startModelServer({
    respond(request, signal, headers) {
      const script = scripts.get(request.model);
      if (!script) return demoResponder(request, signal, headers);

      script.requests.push({ at: Date.now(), body: request as never, headers: headers as never });
      const next = () =>
        script.replies.shift() ?? [{ status: 500, body: { error: { message: "The script has ended." } } }];
      const reply = script.window ? withinWindow(request, script.window, next) : next();
      return played(reply, script.holds.released);
    },
    onDisconnect(request) {
      const script = scripts.get(request.model);
      if (script) script.disconnects++;
    },
  });
  const stripe = await startFakeStripe();
  const trap = await startTrap();
  const embeddings = await startEmbeddingsServer();
  const reranking = await startRerankServer();
  const sites = new Sites();
  const mcpSites = new McpSites();
  const control = await startControlServer(proxy, scripts, embeddings, reranking, sites, mcpSites);

  const issuer = await startIssuer();
  const openId = await startOpenIdServer();

  project.provide("issuer", issuer.url);
  project.provide("openId", openId.url);
  project.provide("dynamodb", proxy.url);
  project.provide("database", database.endpoint);
  project.provide("model", model.url);
  project.provide("embeddings", embeddings.url);
  project.provide("reranking", reranking.url);
  project.provide("control", control.url);
  project.provide("stripe", stripe.url);
  project.provide("trap", trap.url);

  return async () => {
    control.stop();
    stripe.stop();
    trap.stop();
    issuer.stop();
    await Promise.all([openId.stop(), proxy.stop(), model.stop(), database.stop()]);
    embeddings.stop();
    reranking.stop();
    sites.stop();
    mcpSites.stop();
  };
}
