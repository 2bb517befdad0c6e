// A chat without a framework. Everything from outside is shown as text, never as HTML.
const messages = document.querySelector("#messages");
const problem = document.querySelector("#problem");
const form = document.querySelector("form");
const button = document.querySelector("button");

let session = await newSession();
let conversationId;

form.addEventListener("submit", (event) => {
  event.preventDefault();
  void submit();
});

/** Sends what is in the input, and shows a problem where the person is looking. */
async function submit() {
  button.disabled = true;
  problem.textContent = "";
  try {
    await say(form.elements.namedItem("content").value);
    form.reset();
  } catch (error) {
    problem.textContent = error instanceof Error ? error.message : String(error);
  } finally {
    button.disabled = false;
  }
}

/** Asks our own back end for a token. It is valid for an hour. */
async function newSession() {
  const response = await fetch("/token", { method: "POST" });
  if (!response.ok) throw new Error("Nobody is signed in.");
  return response.json();
}

/** Sends a message and shows the answer as it comes. */
async function say(content) {
  if (conversationId === undefined) {
    const response = await post("/conversations", { title: "Chat", agent_id: session.agentId });
    conversationId = (await response.json()).conversation_id;
  }
  const response = await post(`/agents/${session.agentId}/${conversationId}/send-message`, { content });
  show("you", content);
  let answer;
  for await (const event of eventsOf(response.body)) {
    if (event.event_type === "TOOL_CALL_START") show("note", event.content);
    if (event.event_type === "AGENT_RESPONSE_TO_USER") {
      answer ??= show("agent", "");
      answer.textContent += event.content;
    }
    if (event.event_type === "ERROR") throw new Error(event.content);
  }
}

/** Sends a request to the API; with a new token if the old one has expired. */
async function post(path, body, isRepeated = false) {
  const response = await fetch(`${session.api}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${session.token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (response.ok) return response;
  if (response.status === 401 && !isRepeated) {
    session = await newSession();
    return post(path, body, true);
  }
  throw new Error((await response.json()).detail);
}

/** Cuts a stream of server-sent events into their data. Lines that begin with a colon are comments. */
async function* eventsOf(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) if (line.startsWith("data: ")) yield JSON.parse(line.slice(6));
  }
}

function show(kind, text) {
  const line = document.createElement("p");
  line.className = kind;
  line.textContent = text;
  messages.append(line);
  return line;
}
