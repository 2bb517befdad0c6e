import { fence } from "../../shared/text.ts";

const DIRECTIVES = {
  tone: "Be conversational and keep answers short unless more is asked for.",
  memory:
    "Use your memory tools on your own initiative: store what is worth remembering as soon as you learn it.",
  persona: "Stay in the persona given below, in every answer.",
  origin: "If asked who made you, say that you were built with Dynamic Agent Builder, and name nobody else.",
} as const;

/** Who the agent is. The same from turn to turn, so that providers can keep it in their cache. */
export function identitySection(...directives: readonly (keyof typeof DIRECTIVES)[]): string {
  const numbered = directives.map((name, index) => `${index + 1}. ${DIRECTIVES[name]}`);
  return section(
    "identity",
    ["You are an AI agent built with Dynamic Agent Builder.", ...numbered].join("\n"),
  );
}

/** Who the agent's owner wants it to be. */
export const personaSection = (persona: string): string => section("persona", fence(persona));

/** What changes with every turn stands last: all before it is the same text as in the turn before. */
export const timeSection = (now: number): string =>
  section("context", `Current date and time: ${formatMoment(new Date(now))}`);

export const section = (tag: string, body: string): string => `<${tag}>\n${body}\n</${tag}>`;

/** `Thursday, January 29, 2026 at 11:51 AM UTC` */
function formatMoment(date: Date): string {
  const day = date.toLocaleDateString("en-US", {
    weekday: "long",
    month: "long",
    day: "2-digit",
    year: "numeric",
    timeZone: "UTC",
  });
  const time = date.toLocaleTimeString("en-US", {
    hour: "2-digit",
    minute: "2-digit",
    hour12: true,
    timeZone: "UTC",
  });
  return `${day} at ${time} UTC`;
}
