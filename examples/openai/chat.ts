// An agent through OpenAI's client: npm install openai, then
// API=http://localhost:8787 API_KEY=dab_… AGENT=Ada node chat.ts "What do you know about me?"
import OpenAI from "openai";

const { API = "http://localhost:8787", API_KEY = "", AGENT = "Ada" } = process.env;
const openai = new OpenAI({ baseURL: `${API}/v1`, apiKey: API_KEY });
const content = process.argv[2] ?? "Hello";
const messages = [{ role: "user", content } as const];
const stream = await openai.chat.completions.create({ model: AGENT, messages, stream: true });
for await (const { choices } of stream) process.stdout.write(choices[0]?.delta.content ?? "");
