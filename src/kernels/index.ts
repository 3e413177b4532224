/** The op table: adding an op is one line here and one in cases.ts. */
import { attention, attentionBackward, attentionMaps } from "./attention.ts";
import { affine } from "./affine.ts";
import {
  add,
  div,
  equal,
  greater,
  greaterEqual,
  maximum,
  minimum,
  mul,
  pow,
  sub,
} from "./binary.ts";
import { argmax, max, min } from "./extremes.ts";
import { gather, gatherBackward } from "./gather.ts";
import { cast, oneHot } from "./integers.ts";
import { addRows, jacobiTurn } from "./jacobi.ts";
import { variance } from "./variance.ts";
import { where } from "./where.ts";
import { householderReflect, householderTail, householderUpdate } from "./householder.ts";
import { concat, pad } from "./joins.ts";
import { layernorm } from "./layernorm.ts";
import { layernormBackward } from "./layernormBackward.ts";
import { logitstats } from "./logitstats.ts";
import { lossScale } from "./lossScale.ts";
import { matmul } from "./matmul.ts";
import { crossEntropy, crossEntropyBackward, correctCount } from "./crossEntropy.ts";
import { patchify, patchifyBackward } from "./patchify.ts";
import { addInPlace, clipScale, ema, fill, squaredNorm } from "./arenas.ts";
import { adamw, sgdMomentum } from "./optimizers.ts";
import { dropPath, dropout } from "./dropout.ts";
import { imageBatch } from "./imageBatch.ts";
import type { OpDef } from "./op.ts";
import { mean, sum, sumTo } from "./reduce.ts";
import { segmentSum } from "./segmentSum.ts";
import { softmax, softmaxBackward } from "./softmax.ts";
import { tempered } from "./tempered.ts";
import { topk, topkMerge } from "./topk.ts";
import { choleskyPanel, triangularBlock } from "./triangular.ts";
import { unaryBackward, unaryOps } from "./unary.ts";
import { broadcastTo, permute, reshape, slice } from "./views.ts";

/** Every op by name. */
export const table = {
  attention,
  attentionBackward,
  attentionMaps,
  add,
  affine,
  argmax,
  broadcastTo,
  cast,
  concat,
  div,
  equal,
  gather,
  gatherBackward,
  greater,
  greaterEqual,
  max,
  maximum,
  mean,
  min,
  minimum,
  mul,
  oneHot,
  pad,
  permute,
  pow,
  reshape,
  slice,
  sub,
  sum,
  sumTo,
  unaryBackward,
  variance,
  where,
  ...unaryOps,
  householderReflect,
  householderUpdate,
  householderTail,
  layernorm,
  layernormBackward,
  logitstats,
  matmul,
  crossEntropy,
  crossEntropyBackward,
  correctCount,
  patchify,
  patchifyBackward,
  addInPlace,
  clipScale,
  ema,
  fill,
  squaredNorm,
  lossScale,
  adamw,
  sgdMomentum,
  dropPath,
  dropout,
  imageBatch,
  segmentSum,
  softmax,
  softmaxBackward,
  tempered,
  topk,
  topkMerge,
  addRows,
  jacobiTurn,
  choleskyPanel,
  triangularBlock,
} as const;

/** Names of the ops. */
export type OpName = keyof typeof table;

/** The table without its exact types, for code that loops over it. */
export const opEntries = (): [OpName, OpDef][] =>
  // Object.entries widens the keys to string; the table is a const, so they are its names.
  Object.entries(table) as unknown as [OpName, OpDef][];
