import type { AgentEvent } from "./events.ts";

/** Each write to a client costs CPU; this is as long as a piece of text may wait to be joined with the next. */
const INTERVAL_MS = 25;

/**
 * Joins pieces of text that come faster than a client needs them: the first leaves at once, those that follow within
 * the interval leave together. Other events are never joined and never overtake text.
 */
export async function* paceText(
  source: AsyncIterable<AgentEvent>,
  intervalMs: number = INTERVAL_MS,
): AsyncGenerator<AgentEvent, void, void> {
  const iterator = source[Symbol.asyncIterator]();
  let upcoming = take(iterator);
  let lastTextAt = Number.NEGATIVE_INFINITY;

  for (let result = await upcoming; !result.done; result = await upcoming) {
    let event = result.value;
    upcoming = take(iterator);

    if (event.type === "text") {
      const dueAt = lastTextAt + intervalMs;
      for (let more = await within(upcoming, dueAt); more; more = await within(upcoming, dueAt)) {
        event = { type: "text", text: event.text + more.text };
        upcoming = take(iterator);
      }
      lastTextAt = Date.now();
    }
    yield event;
  }
}

function take(iterator: AsyncIterator<AgentEvent>): Promise<IteratorResult<AgentEvent>> {
  const next = iterator.next();
  // Awaited later; until then a failure must not count as unhandled.
  next.catch(() => undefined);
  return next;
}

/** The upcoming piece of text, if it comes before `dueAt`. */
async function within(upcoming: Promise<IteratorResult<AgentEvent>>, dueAt: number) {
  const waitMs = dueAt - Date.now();
  if (waitMs <= 0) return undefined;

  let timer: ReturnType<typeof setTimeout> | undefined;
  const due = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), waitMs);
  });
  try {
    const result = await Promise.race([upcoming, due]);
    return result && !result.done && result.value.type === "text" ? result.value : undefined;
  } catch {
    // The failure is thrown where the event is awaited, behind the text that came before it.
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
