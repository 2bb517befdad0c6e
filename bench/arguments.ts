/**
 * Returns the arguments of a command as numbers. If one is not a positive number, prints `usage` and ends the program: a
 * measurement of nothing would report no problem.
 */
export function positiveNumbers(args: readonly string[], usage: string): readonly number[] {
  const numbers = args.map(Number);
  if (numbers.every((value) => value > 0 && Number.isFinite(value))) return numbers;
  console.error(usage);
  process.exit(1);
}
