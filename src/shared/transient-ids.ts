/** The prefix of transient ids. No other id begins with it, and all others sort before it. */
export const TRANSIENT_PREFIX = "zz-";

/** How long items under transient ids are kept, in milliseconds: a day, as long as the events of a run. */
export const TRANSIENT_LIFETIME_MS = 24 * 60 * 60 * 1000;

/** Returns the transient form of an id: what is stored under it expires, and no list contains it. */
export const transientId = (id: string): string => `${TRANSIENT_PREFIX}${id}`;

/** Returns whether an id comes from `transientId`. */
export const isTransient = (id: string): boolean => id.startsWith(TRANSIENT_PREFIX);
