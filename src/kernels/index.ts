/** The op table: adding an op is one line here and one in cases.ts. */
import { affine } from "./affine.ts";
import { add, div, mul, sub } from "./binary.ts";
import { householderReflect, householderUpdate } from "./householder.ts";
import { concat, pad } from "./joins.ts";
import { layernorm, layernormBackward } from "./layernorm.ts";
import { logitstats } from "./logitstats.ts";
import { matmul } from "./matmul.ts";
import { crossEntropy, crossEntropyBackward, correctCount } from "./crossEntropy.ts";
import { patchify, patchifyBackward } from "./patchify.ts";
import type { OpDef } from "./op.ts";
import { mean, sum, sumTo } from "./reduce.ts";
import { softmax, softmaxBackward } from "./softmax.ts";
import { unaryBackward, unaryOps } from "./unary.ts";
import { broadcastTo, permute, reshape, slice } from "./views.ts";

/** Every op by name. */
export const table = {
  add,
  affine,
  broadcastTo,
  concat,
  div,
  mean,
  mul,
  pad,
  permute,
  reshape,
  slice,
  sub,
  sum,
  sumTo,
  unaryBackward,
  ...unaryOps,
  householderReflect,
  householderUpdate,
  layernorm,
  layernormBackward,
  logitstats,
  matmul,
  crossEntropy,
  crossEntropyBackward,
  correctCount,
  patchify,
  patchifyBackward,
  softmax,
  softmaxBackward,
} as const;

/** Names of the ops. */
export type OpName = keyof typeof table;

/** The table without its exact types, for code that loops over it. */
export const opEntries = (): [OpName, OpDef][] =>
  // Object.entries widens the keys to string; the table is a const, so they are its names.
  Object.entries(table) as unknown as [OpName, OpDef][];
