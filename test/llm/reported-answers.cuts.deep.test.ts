import { expect, it } from "vitest";
import { bytesOf } from "./protocols/protocol.ts";
import { REPORTED } from "./reported-cases.ts";
import { expectation, read } from "./whole-answer.ts";

it.each(REPORTED)(
  "reads $name the same wherever its bytes are cut",
  async ({ text, expected, protocol, type }) => {
    const whole = bytesOf(text);
    // An answer that fails is requested again after a pause, so it is cut only once.
    for (let at = 1; at < whole.length; at += expected.error ? whole.length : 3) {
      const pieces = [whole.slice(0, at), whole.slice(at)];
      expect({ at, ...(await read(protocol, pieces, type)) }).toMatchObject({ at, ...expectation(expected) });
    }
  },
);
