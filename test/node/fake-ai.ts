/**
 * A Worker in place of Cloudflare's `AI` binding, for `vitest.config.ts`. It passes chats to the model server and texts to
 * the embeddings server, and answers in the shapes of Workers AI. Models named `quota` and `thrown` fail as Cloudflare's do
 * if the account's allocation is used up.
 */
export const fakeAi = (modelUrl: string, embeddingsUrl: string) => ({
  name: "fake-ai",
  modules: true,
  compatibilityDate: "2026-10-15",
  compatibilityFlags: ["enable_abortsignal_rpc"],
  bindings: { MODEL_URL: modelUrl, EMBEDDINGS_URL: embeddingsUrl },
  script: SCRIPT,
});

const SCRIPT = `
import { WorkerEntrypoint } from "cloudflare:workers";

const USED_UP = "you have used up your daily free allocation of 10,000 neurons";
const post = (url, body) =>
  fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

export class FakeAi extends WorkerEntrypoint {
  async run(model, inputs, { returnRawResponse } = {}) {
    if (!returnRawResponse) throw new Error("Only raw responses are read.");
    if (model.endsWith("quota"))
      return Response.json({ errors: [{ message: "AiError: " + USED_UP, code: 4006 }] }, { status: 429 });
    if (model.endsWith("thrown")) throw new Error("3036: " + USED_UP);
    if (inputs.text === undefined) return post(this.env.MODEL_URL + "/chat/completions", { model, ...inputs });
    const response = await post(this.env.EMBEDDINGS_URL + "/embeddings", { model, input: inputs.text });
    const { data } = await response.json();
    return Response.json({ shape: [data.length, 8], data: data.map(({ embedding }) => embedding), pooling: "cls" });
  }

  models() {
    return [
      { name: "@cf/a/able", properties: [{ property_id: "context_window", value: "9000" }, { property_id: "function_calling", value: "true" }] },
      { name: "@cf/a/unable", properties: [{ property_id: "context_window", value: "9000" }] },
    ];
  }
}

export default { fetch: () => new Response(null, { status: 404 }) };
`;
