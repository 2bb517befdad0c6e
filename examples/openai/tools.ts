// An agent that calls a tool of this program through OpenAI's Responses API: npm install openai, then
// API=http://localhost:8787 API_KEY=dab_… AGENT=Ada node tools.ts "What time is it here?"
import OpenAI from "openai";

const { API = "http://localhost:8787", API_KEY = "", AGENT: model = "Ada" } = process.env;
const { responses } = new OpenAI({ baseURL: `${API}/v1`, apiKey: API_KEY });
const parameters = { type: "object", properties: {} };
const description = "Returns the time on the user's clock.";
const tools = [{ type: "function", name: "get_time", description, parameters, strict: false } as const];

let response = await responses.create({ model, tools, input: process.argv[2] ?? "What time is it here?" });
for (;;) {
  const calls = response.output.filter((item) => item.type === "function_call");
  if (calls.length === 0) break;
  const input = calls.map(({ call_id }) => {
    return { type: "function_call_output", call_id, output: new Date().toString() } as const;
  });
  response = await responses.create({ model, tools, input, previous_response_id: response.id });
}
console.log(response.output_text);
