/** A fresh id: UUIDv7 (RFC 9562 §5.7), so ids sort by the millisecond they were made in. */
export function newId(now: number = Date.now()): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const view = new DataView(bytes.buffer);

  view.setUint16(0, Math.floor(now / 2 ** 32));
  view.setUint32(2, now >>> 0);
  return uuid(bytes, 7);
}

/** The id that stands for a digest of 16 bytes or more: UUIDv8 (RFC 9562 §5.8), the same for the same digest. */
export const derivedId = (digest: Uint8Array): string => uuid(digest.slice(0, 16), 8);

/** Whether an id is one of `newId` or `derivedId`. */
export const isOurs = (id: string): boolean => /^[0-9a-f]{8}-[0-9a-f]{4}-[78][0-9a-f]{3}-/.test(id);

/** Whether an id was made by `newId`; the service this one follows made random (version 4) ids. */
export const isTimeOrdered = (id: string): boolean => /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-/.test(id);

/** Whether a path segment can be an id at all. Ids that cannot are answered like absent ones. */
export const isPlausibleId = (id: string): boolean => /^[A-Za-z0-9_-]{1,128}$/.test(id);

/** Sixteen bytes as the text of a UUID, with its version and variant written into them. */
function uuid(bytes: Uint8Array, version: number): string {
  const marked = bytes.map((byte, at) => {
    if (at === 6) return (byte & 0x0f) | (version << 4);
    return at === 8 ? (byte & 0x3f) | 0x80 : byte;
  });
  const hex = Array.from(marked, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
