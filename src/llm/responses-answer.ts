import { isObject, type Json, numberAt, objectAt, objectsAt, textAt } from "../shared/json.ts";
import type { Answer, FinishReasons } from "./answer.ts";
import { providerError } from "./errors.ts";
import type { JsonEvents } from "./event-stream.ts";
import { refusalInStream } from "./exchange.ts";
import { toUsage } from "./openai-answer.ts";
import { isErrorEvent } from "./openai-errors.ts";

/** The status of a response, or the reason why it is incomplete. */
export const RESPONSES_FINISHES: FinishReasons = {
  completed: "stop",
  max_output_tokens: "length",
  content_filter: providerError.content,
  cancelled: providerError.truncated,
};

/** Separates two messages, or two parts of a summary. */
const GAP = "\n\n";

/**
 * Reads answers of OpenAI's Responses API: items that are added, grow and are done, or one whole response. Calls are told
 * apart by the index of their item, because the ids of items may change from event to event.
 */
export class ResponsesReader implements JsonEvents {
  readonly #answer: Answer;
  /** The items in their order. Of reasoning what goes back, and of all others only the type. */
  readonly #output: Json[] = [];
  /** The purpose of the last message, which newer models want back with it. */
  #phase = "";
  #hasReasoning = false;
  /** Whether the answer has come in pieces. The response at the end only repeats it. */
  #hasPieces = false;
  #isReasoning = false;
  /** Whether the current item has arrived in pieces. */
  #isGrowing = false;
  readonly #text: Paragraphs;
  readonly #thoughts: Paragraphs;

  constructor(answer: Answer) {
    this.#answer = answer;
    this.#text = new Paragraphs((piece) => answer.text(piece));
    this.#thoughts = new Paragraphs((piece) => answer.reasoning(piece));
  }

  take(event: Json): void {
    if (isErrorEvent(event)) throw refusalInStream(event);
    const type = textAt(event, "type");
    if (type === "" && event["object"] === "response") return this.#finish(event);
    if (FINAL.test(type)) return this.#finish({ status: type.slice(9), ...objectAt(event, "response") });
    this.#grow(type, event);
    // Reasoning may take minutes without a text. Meanwhile, any event shows that the model is at work.
    if (this.#isReasoning) this.#answer.hasAdvanced = true;
    return undefined;
  }

  end(): void {
    this.#answer.isOver = true;
  }

  #grow(type: string, event: Json): void {
    const index = numberAt(event, "output_index");
    switch (type) {
      case "response.output_item.added":
        return this.#begin(index, objectAt(event, "item"));
      case "response.output_item.done":
        return this.#complete(index, objectAt(event, "item"));
      case "response.output_text.delta":
      case "response.refusal.delta":
        return this.#add(this.#text, event);
      case "response.reasoning_summary_part.added":
        return this.#thoughts.begin();
      case "response.reasoning_summary_text.delta":
      case "response.reasoning_text.delta":
        return this.#add(this.#thoughts, event);
      case "response.function_call_arguments.delta":
        return this.#addArguments(index, textAt(event, "delta"));
      case "response.function_call_arguments.done":
        return this.#completeArguments(index, event);
    }
  }

  #add(to: Paragraphs, event: Json): void {
    this.#hasPieces = true;
    this.#isGrowing = true;
    to.add(textAt(event, "delta"));
  }

  #addArguments(index: number | undefined, text: string): void {
    if (text === "" || !this.#answer.calls.at(index)) return;
    this.#answer.calls.add(index, { arguments: text });
    this.#answer.hasAdvanced = true;
  }

  /** The whole arguments follow their pieces, and count only if there were none. */
  #completeArguments(index: number | undefined, part: Json): void {
    if (this.#answer.calls.at(index)?.arguments === "") this.#addArguments(index, textAt(part, "arguments"));
  }

  #begin(index: number | undefined, item: Json): void {
    this.#hasPieces = true;
    this.#isGrowing = false;
    const type = textAt(item, "type");
    this.#isReasoning = type === "reasoning";
    if (type === "message") this.#text.begin();
    if (type === "reasoning") this.#thoughts.begin();
    if (type === "function_call") this.#identify(index, item);
  }

  #identify(index: number | undefined, item: Json): void {
    const id = textAt(item, "call_id") || textAt(item, "id");
    this.#answer.calls.add(index, { id, name: textAt(item, "name") });
    this.#answer.hasAdvanced = true;
  }

  /** Reads an item that is done, as far as it has not arrived in pieces. */
  #complete(index: number | undefined, item: Json): void {
    const type = textAt(item, "type");
    if (type === "function_call") {
      this.#identify(index, item);
      this.#completeArguments(index, item);
    }
    if (!this.#isGrowing && type === "message") this.#read(this.#text, objectsAt(item, "content"));
    if (!this.#isGrowing && type === "reasoning")
      this.#read(this.#thoughts, [...objectsAt(item, "summary"), ...objectsAt(item, "content")]);
    this.#hasPieces = true;
    this.#isReasoning = false;
    this.#isGrowing = false;
    this.#answer.hasAdvanced = true;
    this.#keep(type, item);
  }

  #read(to: Paragraphs, parts: readonly Json[]): void {
    to.begin();
    for (const part of parts) {
      to.add(textAt(part, "text") || textAt(part, "refusal"));
      if (to === this.#thoughts) to.begin();
    }
  }

  /** Keeps what has to go back. Reasoning can't be referred to, because nothing is stored, so only encrypted one counts. */
  #keep(type: string, item: Json): void {
    if (type === "message") this.#phase = textAt(item, "phase");
    if (type === "message" || type === "function_call") this.#output.push({ type });
    if (type === "reasoning" && textAt(item, "encrypted_content") !== "") {
      this.#hasReasoning = true;
      const { id, summary, encrypted_content } = item;
      this.#output.push({ type, id, summary, encrypted_content });
    }
    const sendsReasoning = this.#hasReasoning && !this.#answer.calls.isEmpty;
    const data = {
      ...(sendsReasoning && { output: this.#output }),
      ...(this.#phase !== "" && { phase: this.#phase }),
    };
    this.#answer.expectBack(() => (sendsReasoning || this.#phase !== "" ? data : undefined));
  }

  #finish(response: Json): void {
    const { usage, error } = response;
    if (isObject(usage)) this.#answer.usage = toUsage(usage);
    const status = textAt(response, "status");
    if (status === "failed") throw refusalInStream({ error: isObject(error) ? error : {} });
    if (!this.#hasPieces)
      for (const [index, item] of objectsAt(response, "output").entries()) this.#complete(index, item);

    const reason = textAt(objectAt(response, "incomplete_details"), "reason");
    this.#answer.finish = (status === "incomplete" && reason) || status || "completed";
    this.#answer.hasAdvanced = true;
    this.#answer.isOver = true;
  }
}

const FINAL = /^response\.(?:completed|incomplete|failed|cancelled)$/u;

/** Passes on text, with a gap between the pieces of different paragraphs. */
class Paragraphs {
  readonly #to: (text: string) => void;
  #hasText = false;
  #isNew = false;

  constructor(to: (text: string) => void) {
    this.#to = to;
  }

  begin(): void {
    this.#isNew = this.#hasText;
  }

  add(text: string): void {
    if (text === "") return;
    this.#to(this.#isNew ? GAP + text : text);
    this.#hasText = true;
    this.#isNew = false;
  }
}
