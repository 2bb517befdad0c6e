import { nearestArea } from "../shared/areas.ts";
import { AppError } from "../shared/errors.ts";
import { type Space, spaceName } from "../users/space.ts";
import type { RunnerCall } from "./runner-protocol.ts";

/** A Durable Object that is reset while it is asked can be asked again at once. */
const ATTEMPTS = 3;

/** The runners of all conversations, one Durable Object each. */
export class Runners {
  readonly #namespace: DurableObjectNamespace;
  readonly #area: DurableObjectLocationHint | undefined;

  /** `region` is where the table is. */
  constructor(namespace: DurableObjectNamespace, region: string) {
    this.#namespace = namespace;
    this.#area = nearestArea(region);
  }

  /** Asks a conversation's runner; the answer is for the caller as it is, refusals included. */
  async call(call: RunnerCall): Promise<Response> {
    const body = JSON.stringify(call);

    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#stub(call).fetch("https://runner/", { method: "POST", body });
      } catch (cause) {
        // What was asked may have happened: only what can be repeated without harm is.
        if (attempt === ATTEMPTS || !isRepeatable(call))
          throw new AppError("unavailable", "The conversation is not available at the moment.", {
            cause,
            retryAfter: 1,
          });
      }
    }
  }

  /** Ends what runs in a conversation, and forgets what has run. */
  forget(space: Space, conversationId: string): Promise<void> {
    return this.forgetIn(spaceName(space), conversationId);
  }

  /** The same by the name of a space, for who finds conversations by their keys. */
  async forgetIn(name: string, conversationId: string): Promise<void> {
    const request = { kind: "forget" } as const;
    const response = await this.call({
      space: { owner: name },
      conversationId,
      instance: "",
      requestId: "",
      request,
    });
    if (!response.ok) throw new AppError("unavailable", "A run could not be ended. Please try again.");
  }

  /** The name holds whose conversation it is, so a stranger who knows a conversation's id gets a runner that knows nothing. */
  #stub({ space, conversationId }: RunnerCall): DurableObjectStub {
    const options = this.#area === undefined ? {} : { locationHint: this.#area };
    return this.#namespace.getByName(`${spaceName(space)}/${conversationId}`, options);
  }
}

const isRepeatable = ({ request }: RunnerCall): boolean => request.kind !== "send" || request.key !== null;
