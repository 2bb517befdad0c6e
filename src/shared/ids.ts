/** Returns a new id: a UUIDv7 (RFC 9562 §5.7), so ids sort by creation time. `now` is in milliseconds since the epoch. */
export function newId(now: number = Date.now()): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const view = new DataView(bytes.buffer);

  view.setUint16(0, Math.floor(now / 2 ** 32));
  view.setUint32(2, now >>> 0);
  return uuid(bytes, 7);
}

/** Returns the creation time of an id from `newId`, in milliseconds since the epoch. */
export const timeOf = (id: string): number => Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16);

/** Returns the id of a digest of at least 16 bytes: a UUIDv8 (RFC 9562 §5.8). The same digest has the same id. */
export const derivedId = (digest: Uint8Array): string => uuid(digest.slice(0, 16), 8);

/** Returns whether an id comes from `newId` or `derivedId`. */
export const isOurs = (id: string): boolean => /^[0-9a-f]{8}-[0-9a-f]{4}-[78][0-9a-f]{3}-/.test(id);

/** Returns whether an id comes from `newId`. The legacy Python service used random ids (version 4). */
export const isTimeOrdered = (id: string): boolean => /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-/.test(id);

/** Returns whether text can be an id. Text that can't is treated like an absent id. */
export const isPlausibleId = (id: string): boolean => /^[A-Za-z0-9_-]{1,128}$/.test(id);

/** Returns 16 bytes as a UUID, with the version and variant bits set. */
function uuid(bytes: Uint8Array, version: number): string {
  const marked = bytes.map((byte, at) => {
    if (at === 6) return (byte & 0x0f) | (version << 4);
    return at === 8 ? (byte & 0x3f) | 0x80 : byte;
  });
  const hex = Array.from(marked, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
