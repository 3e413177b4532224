/** The op table: adding an op is one line here and one in cases.ts. */
import { layernorm, layernormBackward } from "./layernorm.ts";
import { logitstats } from "./logitstats.ts";
import type { OpDef } from "./op.ts";
import { softmax, softmaxBackward } from "./softmax.ts";

/** Every op by name. */
export const table = {
  layernorm,
  layernormBackward,
  logitstats,
  softmax,
  softmaxBackward,
} as const;

/** Names of the ops. */
export type OpName = keyof typeof table;

/** The table without its exact types, for code that loops over it. */
export const opEntries = (): [OpName, OpDef][] =>
  // Object.entries widens the keys to string; the table is a const, so they are its names.
  Object.entries(table) as unknown as [OpName, OpDef][];
