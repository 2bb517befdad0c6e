// Two questions to an agent through OpenAI's Responses API: npm install openai, then
// API=http://localhost:8787 API_KEY=dab_… AGENT=Ada node responses.ts "My cat is called Tom." "What is it called?"
import OpenAI from "openai";

const { API = "http://localhost:8787", API_KEY = "", AGENT: model = "Ada" } = process.env;
const { responses } = new OpenAI({ baseURL: `${API}/v1`, apiKey: API_KEY });
const [input = "Hello", next = "And now?"] = process.argv.slice(2);
const first = await responses.create({ model, input });
console.log(first.output_text);
const second = await responses.create({ model, input: next, previous_response_id: first.id });
console.log(second.output_text);
