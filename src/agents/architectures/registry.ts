import type { Architecture } from "./architecture.ts";
import { krishnaMemgpt } from "./krishna-memgpt/krishna-memgpt.ts";
import { krishnaMini } from "./krishna-mini.ts";

/** Every architecture, in the order that forms show them. A new one is a file and a line here. */
const ARCHITECTURES: readonly Architecture[] = [krishnaMini, krishnaMemgpt];

export const architectureOptions = ARCHITECTURES.map(({ name, label }) => ({ value: name, label }));

export const findArchitecture = (name: string): Architecture | undefined =>
  ARCHITECTURES.find((architecture) => architecture.name === name);

export const architectureNames = ARCHITECTURES.map(({ name }) => name);
