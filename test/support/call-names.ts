import { type Answer, type Client, signUp } from "./app.ts";

/** A client that shows calls that wait by names. */
export interface NamingClient extends Client {
  /** Returns the id of the call with this name. */
  idOf(name: string): string;
}

/**
 * Returns a client that shows calls that wait as `c1`, `c2` … in the order in which it gets to know them, and that sends their ids for
 * these names. The service makes the ids, so tests can't know them beforehand.
 */
export function namingCalls(client: Client): NamingClient {
  const names = new Map<string, string>();
  const nameOf = (id: string): string => {
    const name = names.get(id) ?? `c${names.size + 1}`;
    names.set(id, name);
    return name;
  };
  const shown = (text: string): string => text.replaceAll(/call_[0-9a-f]{32}/gu, nameOf);
  const sent = (text: string): string => {
    const ids = new Map([...names].map(([id, name]) => [name, id]));
    return text.replaceAll(/(?<="|\/approvals\/)c\d+(?="|$)/gu, (name) => ids.get(name) ?? name);
  };

  const raw: Client["raw"] = async (method, path, body, init) => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const answer = await client.raw(method, sent(path), text && sent(text), init);
    const lines = answer.response.body?.pipeThrough(new TextDecoderStream()).pipeThrough(inLines(shown));
    const { status, headers } = answer.response;
    return {
      ...answer,
      response: new Response(lines?.pipeThrough(new TextEncoderStream()) ?? null, { status, headers }),
    };
  };
  const send = async (...[method, path, body, headers]: Parameters<Client>): Promise<Answer> => {
    const answer = await client(
      method,
      sent(path),
      body === undefined ? undefined : sent(typeof body === "string" ? body : JSON.stringify(body)),
      headers,
    );
    if (typeof answer.body === "string") return { ...answer, body: shown(answer.body) };
    return { ...answer, body: JSON.parse(shown(JSON.stringify(answer.body))) };
  };
  return Object.assign(send, {
    email: client.email,
    token: client.token,
    raw,
    idOf: (name: string) => sent(`"${name}"`).slice(1, -1),
  });
}

/** A fresh user, for whom the calls that wait have names. */
export const signUpNaming = async (): Promise<NamingClient> => namingCalls(await signUp());

/** Changes text line by line, so that nothing is missed that arrives in two pieces. */
function inLines(change: (line: string) => string): TransformStream<string, string> {
  let rest = "";
  return new TransformStream({
    transform(piece, controller) {
      const text = rest + piece;
      const end = text.lastIndexOf("\n") + 1;
      rest = text.slice(end);
      if (end > 0) controller.enqueue(change(text.slice(0, end)));
    },
    flush(controller) {
      if (rest !== "") controller.enqueue(change(rest));
    },
  });
}
