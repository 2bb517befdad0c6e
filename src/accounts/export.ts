import type { Clock } from "../shared/clock.ts";
import { AppError } from "../shared/errors.ts";
import { base64, type Value } from "../table/marshal.ts";
import type { AccountItems } from "./repository.ts";
import { exported } from "./secrets.ts";

const VERSION = 1;

/**
 * Everything an account owns, as lines of JSON, portion by portion. The first line tells what follows, the last one
 * counts it: an export without that line is not whole. Never throws: a failure is the last line.
 */
export async function* exportAccount(
  email: string,
  items: AccountItems,
  clock: Clock,
): AsyncGenerator<string, void, void> {
  let count = 0;
  yield line({ type: "export", version: VERSION, account: email, created_at: clock.timestamp() });

  try {
    for await (const page of items.pages(email)) {
      count += page.length;
      if (page.length > 0) yield page.map((item) => line(exported(item))).join("");
    }
    yield line({ type: "end", items: count });
  } catch (thrown) {
    const error = AppError.from(thrown);
    console.error({ message: "An export broke off.", code: error.code, cause: error.cause ?? error });
    yield line({ type: "error", code: error.code, detail: error.message, retryable: error.retryable });
  }
}

const line = (value: object): string => `${JSON.stringify(value, plain)}\n`;

/** JSON has neither sets nor bytes: lists and base64 stand for them. */
function plain(_name: string, value: Value): unknown {
  if (value instanceof Set) return [...value];
  return value instanceof Uint8Array ? base64(value) : value;
}
