import type { Measure } from "./bench.ts";
import { figureOf, ms, ratio } from "./figures.ts";

/** The size of the bundle. */
export const measureBundle: Measure = ({ stand: { bundle } }) =>
  Promise.resolve({
    rows: [["bundle (gzip)", `${bundle.gzipKb} KB`]],
    budgeted: { "bundle KB": bundle.gzipKb },
  });

/** Starts Workers of both kinds alternately, and measures each until it has answered `/health`. */
export const measureStart: Measure = async ({ stand, rounds }) => {
  const baseline = await stand.build("bench/stand/baseline.toml");
  const started = async (kind: string, bundle: typeof baseline, round: number) => {
    const worker = await stand.start(`${kind}-start-${round}-${crypto.randomUUID()}`, bundle);
    const { cpuMs } = await worker.usage();
    await worker.stop();
    return { ms: worker.startMs, cpuMs };
  };

  const pairs: { readonly app: Start; readonly least: Start }[] = [];
  for (let round = 0; round < rounds; round++)
    pairs.push({
      app: await started("app", stand.bundle, round),
      least: await started("least", baseline, round),
    });

  const cpuRatio = figureOf(pairs.map(({ app, least }) => app.cpuMs / least.cpuMs));
  const row = (starts: readonly Start[]) =>
    `${ms(figureOf(starts.map((start) => start.ms)))}, CPU ${ms(figureOf(starts.map(({ cpuMs }) => cpuMs)))}`;
  return {
    rows: [
      ["start until /health: service", row(pairs.map(({ app }) => app))],
      ["start until /health: baseline", row(pairs.map(({ least }) => least))],
      ["start until /health: CPU, of the baseline's", ratio(cpuRatio)],
    ],
    budgeted: { "start, CPU ratio": cpuRatio },
  };
};

interface Start {
  readonly ms: number;
  readonly cpuMs: number;
}
