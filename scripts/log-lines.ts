import { styleText } from "node:util";

import { field, parseJson } from "./json.ts";

/** The lines of an object that the Worker has logged; longer ones are shown as they are. */
const MAX_BLOCK_LINES = 200;

/** wrangler's marks of `console.error` and `console.warn`. */
const LEVELS = /^(✘ \[ERROR\]|▲ \[WARNING\]) \{(.*)$/u;
const MEMBER = /^ {4}(\w+): (.*)$/u;

export interface LogReaderOptions {
  readonly color: boolean;
  /** The time of day that lines begin with. */
  readonly time: () => string;
}

/**
 * Returns a function that turns the Worker's lines, without their colours, into lines for people: one for each request and
 * each error. Takes one line, and returns the lines to show for it, which are none in the middle of an object.
 */
export function createLogReader({ color, time }: LogReaderOptions): (line: string) => readonly string[] {
  const painted = (format: Parameters<typeof styleText>[0], text: string) =>
    color ? styleText(format, text, { validateStream: false }) : text;
  let block: string[] | undefined;

  return (line) => {
    if (block) {
      block.push(line);
      if (!/^ {0,2}\}$/u.test(line) && block.length < MAX_BLOCK_LINES) return [];
      const lines = block;
      block = undefined;
      return summaryOf(lines);
    }
    const opening = LEVELS.exec(line);
    if (opening && opening[2] === "") {
      block = [line];
      return [];
    }
    const value = parseJson(line);
    return [typeof field(value, "message") === "string" ? recordLine(Object(value)) : line];
  };

  function recordLine(record: object): string {
    const { message, ...more } = record as Record<string, unknown>;
    if (message !== "request") return [time(), String(message), ...pairs(more)].join(" ");

    const status = Number(field(record, "status"));
    const shown = painted(colorOf(status), String(status));
    return `${time()} ${String(more["method"])} ${String(more["route"] ?? "(no route)")} ${shown} ${String(more["ms"])} ms`;
  }

  /** The message and the members of a logged object; the stack only of errors that nobody has foreseen. */
  function summaryOf(lines: readonly string[]): readonly string[] {
    const members = new Map(
      lines.flatMap((line) => {
        const [, name, value] = MEMBER.exec(line) ?? [];
        return name === undefined || value === undefined ? [] : [[name, unquoted(value)] as const];
      }),
    );
    const message = members.get("message");
    if (message === undefined) return lines;

    const isError = lines[0]?.includes("ERROR") ?? false;
    const level = isError ? painted("red", "error") : painted("yellow", "warning");
    const more = pairs(Object.fromEntries([...members].filter(([name]) => name !== "message")));
    const stack = members.get("code") === "internal" ? lines.filter((line) => /^ +at /u.test(line)) : [];
    return [[time(), level, message, ...more].join(" "), ...stack];
  }
}

const pairs = (members: Readonly<Record<string, unknown>>): readonly string[] =>
  Object.entries(members).map(
    ([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  );

/** Returns a value as Node prints it without its quotes and the comma behind it. */
function unquoted(printed: string): string {
  const text = printed.endsWith(",") ? printed.slice(0, -1) : printed;
  return /^'.*'$/u.test(text) ? text.slice(1, -1) : text;
}

function colorOf(status: number): "green" | "cyan" | "yellow" | "red" {
  if (status >= 500) return "red";
  if (status >= 400) return "yellow";
  return status >= 300 ? "cyan" : "green";
}
