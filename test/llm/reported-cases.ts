import { ANTHROPIC_STREAMS } from "./fixtures/reported-anthropic-streams.ts";
import { LOCAL_STREAMS } from "./fixtures/reported-local-streams.ts";
import { COMPATIBLE_STREAMS } from "./fixtures/reported-streams.ts";
import { anthropicProtocol } from "./protocols/anthropic.ts";
import { compatibleProtocol } from "./protocols/openai.ts";

/** All reported answers. */
export const REPORTED = [
  ...[...COMPATIBLE_STREAMS, ...LOCAL_STREAMS].map((one) => ({ protocol: compatibleProtocol, one })),
  ...ANTHROPIC_STREAMS.map((one) => ({ protocol: anthropicProtocol, one })),
].map(({ protocol, one: [name, text, expected, type = "text/event-stream"] }) => ({
  name,
  text,
  expected,
  protocol,
  type,
}));
