import { expect, it } from "vitest";
import type { AgentEvent } from "../../src/runs/events.ts";
import { paceText } from "../../src/runs/pacing.ts";

const text = (content: string): AgentEvent => ({ type: "text", text: content });
const status = (content: string): AgentEvent => ({ type: "status", text: content });
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function* play(steps: readonly (AgentEvent | number)[]): AsyncGenerator<AgentEvent, void, void> {
  for (const step of steps) {
    if (typeof step === "number") await pause(step);
    else yield step;
  }
}

it("sends the first piece at once and joins those that follow within the interval", async () => {
  const events = await Array.fromAsync(
    paceText(play([text("a"), text("b"), text("c"), 1_200, text("d"), text("e")]), 400),
  );

  expect(events).toEqual([text("a"), text("bc"), text("d"), text("e")]);
});

it("sends a piece at once when the stream was quiet", async () => {
  const startedAt = Date.now();
  const times: number[] = [];

  for await (const event of paceText(play([text("a"), 50, text("b"), 400]), 30))
    times.push(event.type === "text" ? Date.now() - startedAt : 0);

  expect(times[1]).toBeLessThan(200);
});

it("never lets another event overtake text, or be joined", async () => {
  const events = await Array.fromAsync(
    paceText(
      play([text("a"), text("b"), status("one"), status("two"), text("c"), text("d"), status("end")]),
      1_000,
    ),
  );

  expect(events).toEqual([text("a"), text("b"), status("one"), status("two"), text("cd"), status("end")]);
});

it("throws a failure behind the text that came before it", async () => {
  async function* failing(): AsyncGenerator<AgentEvent, void, void> {
    yield text("a");
    yield text("b");
    throw new Error("broken");
  }
  const seen: AgentEvent[] = [];

  const reading = async () => {
    for await (const event of paceText(failing(), 1_000)) seen.push(event);
  };

  await expect(reading()).rejects.toThrow("broken");
  expect(seen).toEqual([text("a"), text("b")]);
});
