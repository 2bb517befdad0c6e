import type { Architecture } from "./architecture.ts";
import { krishnaMemgpt } from "./krishna-memgpt/krishna-memgpt.ts";
import { krishnaMini } from "./krishna-mini.ts";

/** All architectures, in the order in which forms show them. */
const ARCHITECTURES: readonly Architecture[] = [krishnaMini, krishnaMemgpt];

export const architectureOptions = ARCHITECTURES.map(({ name, label }) => ({ value: name, label }));

/** Returns the architecture with this name, or `undefined` if there is none. */
export const findArchitecture = (name: string): Architecture | undefined =>
  ARCHITECTURES.find((architecture) => architecture.name === name);

/** The names of the architectures for models that can't call tools. */
export const architecturesWithoutTools = ARCHITECTURES.filter(({ needsTools }) => !needsTools).map(
  ({ name }) => name,
);

export const architectureNames = ARCHITECTURES.map(({ name }) => name);
