import { anthropicProtocol } from "./anthropic.ts";
import { bedrockProtocol } from "./bedrock.ts";
import { compatibleProtocol, openAiProtocol } from "./openai.ts";

/** Every protocol with its name, as a table of test cases wants them. */
export const PROTOCOLS = [openAiProtocol, compatibleProtocol, anthropicProtocol, bedrockProtocol].map(
  (protocol) => [protocol.name, protocol] as const,
);
