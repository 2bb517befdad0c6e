import { createInterface } from "node:readline";

/**
 * Kills process groups as soon as the process that started this one is gone, even if that was killed without a warning:
 * the pipe to standard input ends with it. Each line of the input is `+` or `-` and the id of a group to watch or to forget.
 */
const groups = new Set<number>();

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const group = Number(line.slice(1));
    if (line.startsWith("+")) groups.add(group);
    else groups.delete(group);
  })
  .on("close", () => {
    for (const group of groups) kill(group);
    process.exit();
  });

function kill(group: number): void {
  try {
    process.kill(-group, "SIGKILL");
  } catch {
    // The group has ended meanwhile.
  }
}
