/** Names of time zones are shorter. */
const MAX_CHARS = 64;

/** Returns the name of an IANA time zone, such as `Europe/Berlin`, or `undefined` if the text names none. */
export function timeZoneOf(text: string | undefined): string | undefined {
  if (text === undefined || text.length > MAX_CHARS || !/^[A-Za-z]/u.test(text)) return undefined;
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone: text }).resolvedOptions().timeZone;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
