/** The oracle of every op; a missing row does not compile. For tests and bench only. */
import { attentionBackwardCases, attentionCases, attentionMapsCases } from "./attention.cases.ts";
import type { OpCases } from "./case.ts";
import type { OpName } from "./index.ts";
import { affineCases } from "./affine.cases.ts";
import {
  addCases,
  divCases,
  equalCases,
  greaterCases,
  greaterEqualCases,
  maximumCases,
  minimumCases,
  mulCases,
  powCases,
  subCases,
} from "./binary.cases.ts";
import { argmaxCases, maxCases, minCases } from "./extremes.cases.ts";
import { gatherBackwardCases, gatherCases } from "./gather.cases.ts";
import { castCases, oneHotCases } from "./integers.cases.ts";
import { addRowsCases, jacobiTurnCases } from "./jacobi.cases.ts";
import { varianceCases } from "./variance.cases.ts";
import { whereCases } from "./where.cases.ts";
import {
  householderReflectCases,
  householderTailCases,
  householderUpdateCases,
} from "./householder.cases.ts";
import { concatCases, padCases } from "./joins.cases.ts";
import { layernormBackwardCases, layernormCases } from "./layernorm.cases.ts";
import { logitstatsCases } from "./logitstats.cases.ts";
import { lossScaleCases } from "./lossScale.cases.ts";
import { matmulCases } from "./matmul.cases.ts";
import { meanCases, sumCases, sumToCases } from "./reduce.cases.ts";
import {
  correctCountCases,
  crossEntropyCases,
  crossEntropyBackwardCases,
} from "./crossEntropy.cases.ts";
import { patchifyCases, patchifyBackwardCases } from "./patchify.cases.ts";
import {
  addInPlaceCases,
  clipScaleCases,
  emaCases,
  fillCases,
  squaredNormCases,
} from "./arenas.cases.ts";
import { adamwCases, sgdMomentumCases } from "./optimizers.cases.ts";
import { dropPathCases, dropoutCases } from "./dropout.cases.ts";
import { imageBatchCases } from "./imageBatch.cases.ts";
import { segmentSumCases } from "./segmentSum.cases.ts";
import { softmaxBackwardCases, softmaxCases } from "./softmax.cases.ts";
import { temperedCases } from "./tempered.cases.ts";
import { topkCases, topkMergeCases } from "./topk.cases.ts";
import { choleskyPanelCases, triangularBlockCases } from "./triangular.cases.ts";
import { unaryBackwardCases, unaryCases } from "./unary.cases.ts";
import { broadcastToCases, permuteCases, reshapeCases, sliceCases } from "./views.cases.ts";

/** Cases by op name. */
export const cases = {
  attention: attentionCases,
  attentionBackward: attentionBackwardCases,
  attentionMaps: attentionMapsCases,
  add: addCases,
  affine: affineCases,
  broadcastTo: broadcastToCases,
  concat: concatCases,
  div: divCases,
  mean: meanCases,
  mul: mulCases,
  pad: padCases,
  permute: permuteCases,
  reshape: reshapeCases,
  slice: sliceCases,
  sub: subCases,
  sum: sumCases,
  sumTo: sumToCases,
  unaryBackward: unaryBackwardCases,
  argmax: argmaxCases,
  cast: castCases,
  equal: equalCases,
  gather: gatherCases,
  gatherBackward: gatherBackwardCases,
  greater: greaterCases,
  greaterEqual: greaterEqualCases,
  max: maxCases,
  maximum: maximumCases,
  min: minCases,
  minimum: minimumCases,
  oneHot: oneHotCases,
  pow: powCases,
  variance: varianceCases,
  where: whereCases,
  ...unaryCases,
  householderReflect: householderReflectCases,
  householderUpdate: householderUpdateCases,
  householderTail: householderTailCases,
  layernorm: layernormCases,
  layernormBackward: layernormBackwardCases,
  logitstats: logitstatsCases,
  matmul: matmulCases,
  crossEntropy: crossEntropyCases,
  crossEntropyBackward: crossEntropyBackwardCases,
  correctCount: correctCountCases,
  patchify: patchifyCases,
  patchifyBackward: patchifyBackwardCases,
  addInPlace: addInPlaceCases,
  clipScale: clipScaleCases,
  ema: emaCases,
  fill: fillCases,
  squaredNorm: squaredNormCases,
  lossScale: lossScaleCases,
  adamw: adamwCases,
  sgdMomentum: sgdMomentumCases,
  dropPath: dropPathCases,
  dropout: dropoutCases,
  imageBatch: imageBatchCases,
  segmentSum: segmentSumCases,
  softmax: softmaxCases,
  softmaxBackward: softmaxBackwardCases,
  tempered: temperedCases,
  topk: topkCases,
  topkMerge: topkMergeCases,
  addRows: addRowsCases,
  jacobiTurn: jacobiTurnCases,
  choleskyPanel: choleskyPanelCases,
  triangularBlock: triangularBlockCases,
} satisfies Record<OpName, OpCases>;
