import { anthropicProtocol } from "./anthropic.ts";
import { bedrockProtocol } from "./bedrock.ts";
import { compatibleProtocol, openAiProtocol } from "./openai.ts";
import { responsesProtocol } from "./responses.ts";

/** Every protocol with its name, as a table of test cases wants them. */
export const PROTOCOLS = [
  openAiProtocol,
  responsesProtocol,
  compatibleProtocol,
  anthropicProtocol,
  bedrockProtocol,
].map((protocol) => [protocol.label ?? protocol.name, protocol] as const);
