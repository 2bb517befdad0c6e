/** What a function under test does with a text; it may also refuse it. */
export type Reads = (text: string) => unknown;

/** A text that is hard for one function: a name for the test, the function, and the text by its size in characters. */
export type HardText = readonly [name: string, read: Reads, textOf: (size: number) => string];

interface Sizes {
  /** In characters. */
  readonly small: number;
  readonly large: number;
}

/** From 10 KB to 100 KB. */
const SIZES: Sizes = { small: 10_000, large: 100_000 };

/** Ten times the text takes ten times the work; the rest is for caches, garbage and the machine. Squared, it would be a hundred. */
const MOST = 30;
/** The number of small texts that are measured together, so that they cause as much garbage as a large one. */
const SMALL_READINGS = 10;
/**
 * A function that takes less CPU time than this for 100 KB, in microseconds, is not quadratic: to read each character again
 * from each one before it, in a tenth of a nanosecond, takes half a second.
 */
const FLOOR = 200_000;
/** The number of attempts, because a measurement may be disturbed. */
const ROUNDS = 4;

/**
 * Whether a function takes, for ten times as much text, at most thirty times the CPU time of this thread. Others on the
 * machine make it wait, which costs no CPU time; a disturbed measurement is repeated, and the best ones count.
 */
export async function isLinear(
  read: Reads,
  textOf: (size: number) => string,
  sizes = SIZES,
): Promise<boolean> {
  const [small, large] = [textOf(sizes.small), textOf(sizes.large)];
  let [leastSmall, leastLarge] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];

  for (let round = 0; round < ROUNDS; round++) {
    leastLarge = Math.min(leastLarge, await cpuTimeOf(read, large));
    if (leastLarge <= FLOOR) return true;
    leastSmall = Math.min(leastSmall, (await cpuTimeOf(read, small, SMALL_READINGS)) / SMALL_READINGS);
    if (leastLarge <= MOST * leastSmall) return true;
  }
  return false;
}

/** In microseconds. */
async function cpuTimeOf(read: Reads, text: string, readings = 1): Promise<number> {
  const before = process.threadCpuUsage();
  for (let reading = 0; reading < readings; reading++) {
    try {
      await read(text);
    } catch {
      // Refused.
    }
  }
  const { user, system } = process.threadCpuUsage(before);
  return user + system;
}

/** Returns a function that makes a text of a size by repeating this one. */
export const repeated = (unit: string) => (size: number) =>
  unit.repeat(Math.ceil(size / unit.length)).slice(0, size);

/** Runs of text that is hard for parsers: white space, brackets and quotes that are never closed, and so on. */
const UNITS = [
  ...Array.from(' \n\r\t\u00a0\u2028<[(|/\\".,-@0aΣ字'),
  "\u200d",
  "\u0301",
  // Normalization sorts them.
  "\u0301\u0316",
  "\u0316\uff9e",
  "😀",
  " \n",
  "a ",
  "a\n",
  "a.",
  ". ",
  "</",
  "<|a",
  "<<",
  "<t\u200d",
  "‹｜",
  "[/INST",
  "[inst]",
  "]~",
  "<core_memory",
  '\\"',
  "data: {}\n",
] as const;

/** Each run alone, and between characters at which a pattern that has matched the run fails. */
const ADVERSARIES: readonly (readonly [name: string, textOf: (size: number) => string])[] = UNITS.flatMap(
  (unit) => {
    const run = repeated(unit);
    return [
      [JSON.stringify(unit), run],
      [`x${JSON.stringify(unit)} and an end`, (size: number) => `x${run(size - 3)}x\u0001`],
    ] as const;
  },
);

/** Returns the names of the adversaries for which a function is not linear. */
export async function slowTexts(read: Reads): Promise<readonly string[]> {
  const slow: string[] = [];
  for (const [name, textOf] of ADVERSARIES) if (!(await isLinear(read, textOf))) slow.push(name);
  return slow;
}
