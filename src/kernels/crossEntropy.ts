/** Softmax cross-entropy with label smoothing, its gradient, and the count of right answers. */
import { correctCount as correctCountShader } from "../../shaders/correctCount.wgsl.ts";
import { crossEntropy as crossEntropyShader } from "../../shaders/crossEntropy.wgsl.ts";
import { crossEntropyBackward as crossEntropyBackwardShader } from "../../shaders/crossEntropyBackward.wgsl.ts";
import { validSum } from "../../shaders/validSum.wgsl.ts";
import { ShapeError } from "../util/errors.ts";
import { meta, sameShape, show, sizeOf } from "../util/shape.ts";
import { defineOp, need } from "./op.ts";
import type { InputMetas, Pass, Slot } from "./op.ts";
import { ELEMENT_WORKGROUP, asRows, elementGrid, f, reads, u, uniforms, writes } from "./pass.ts";
import { rowGrid, rowVariants } from "./rows.ts";

/** Lanes of the one workgroup that adds the rows up. */
const SUM_WORKGROUP = 64;

/** Where an op has its logits, labels and validRows. */
interface Places {
  readonly logits: number;
  readonly labels: number;
  readonly validRows: number;
}

function checkLabelled(op: string, inputs: InputMetas, places: Places): void {
  const logits = need(inputs, places.logits);
  const labels = need(inputs, places.labels);
  const validRows = need(inputs, places.validRows);
  if (logits.shape.length !== 2 || sizeOf(logits.shape) === 0)
    throw new ShapeError(op, "logits must be [rows, classes], neither 0", {
      logits: logits.shape,
    });
  if (labels.dtype !== "i32" || !sameShape(labels.shape, logits.shape.slice(0, 1)))
    throw new ShapeError(op, `labels must be i32, one a row (they are ${labels.dtype})`, {
      logits: logits.shape,
      labels: labels.shape,
    });
  if (validRows.dtype !== "u32" || sizeOf(validRows.shape) !== 1)
    throw new ShapeError(op, `validRows must be one u32 (it is ${validRows.dtype})`, {
      validRows: validRows.shape,
    });
}

/** total ← sum or mean of the first validRows of the [rows] values in temp0. */
function sumPass(op: string, rows: number, validRows: Slot, isMean: boolean): Pass {
  return {
    label: `${op} total [${rows}]`,
    code: validSum({ workgroup: SUM_WORKGROUP, isMean }),
    bindings: [...reads("temp0"), ...uniforms(validRows), ...writes("out0")],
    params: [u(rows)],
    grid: [1, 1, 1],
    flops: rows,
    bytes: 4 * rows,
  };
}

/**
 * The mean, over the first validRows rows, of lse − (1 − ε) z[label] − ε mean z with ε =
 * labelSmoothing. logits [N, C], labels i32 [N], validRows u32 [1]; a row whose label is no class
 * adds nothing (callers check their labels when they load them).
 */
export const crossEntropy = defineOp({
  name: "crossEntropy",
  inputs: ["logits", "labels", "validRows"],
  outputs: ["loss"],
  saves: ["lse"],
  defaults: { labelSmoothing: 0 },
  infer(inputs) {
    checkLabelled("crossEntropy", inputs, { logits: 0, labels: 1, validRows: 2 });
    return [meta([]), meta(need(inputs, 0).shape.slice(0, 1))];
  },
  variants: rowVariants<{ labelSmoothing: number }>((layout, inputs, attrs, caps) => {
    const { shape } = need(inputs, 0);
    const { rows, cols } = asRows(shape);
    const byRow: Pass = {
      label: `crossEntropy lse ${show(shape)}`,
      code: crossEntropyShader(layout),
      bindings: [...reads("in0", "in1"), ...writes("out1", "temp0")],
      params: [u(rows), u(cols), f(attrs.labelSmoothing)],
      grid: rowGrid(rows, layout, caps),
      flops: 5 * rows * cols,
      bytes: 4 * rows * cols,
    };
    return { temps: [meta([rows])], passes: [byRow, sumPass("crossEntropy", rows, "in2", true)] };
  }),
  // loss_row = lse − Σ q z with q = (1 − ε)[c = label] + ε/C, Σ q = 1: dz = g/valid · (softmax − q)
  grad: ([g], { inputs: [logits, labels, validRows], saved: [lse], attrs }, ops) => [
    g && logits && labels && validRows && lse
      ? ops.crossEntropyBackward(g, logits, labels, lse, validRows, attrs)
      : null,
    null,
    null,
  ],
});

/** dlogits of crossEntropy from its saved lse; zeros from row validRows on. */
export const crossEntropyBackward = defineOp({
  name: "crossEntropyBackward",
  inputs: ["g", "logits", "labels", "lse", "validRows"],
  outputs: ["dlogits"],
  defaults: { labelSmoothing: 0 },
  infer(inputs) {
    checkLabelled("crossEntropyBackward", inputs, { logits: 1, labels: 2, validRows: 4 });
    return [need(inputs, 1)];
  },
  variants: {
    element: {
      usable: () => true,
      plan(inputs, attrs, caps) {
        const { shape } = need(inputs, 1);
        const { rows, cols } = asRows(shape);
        const pass: Pass = {
          label: `crossEntropyBackward dlogits ${show(shape)}`,
          code: crossEntropyBackwardShader({ workgroup: ELEMENT_WORKGROUP }),
          bindings: [...reads("in0", "in1", "in2", "in3"), ...uniforms("in4"), ...writes("out0")],
          params: [u(rows), u(cols), f(attrs.labelSmoothing)],
          grid: elementGrid(rows * cols, caps),
          flops: 4 * rows * cols,
          bytes: 8 * rows * cols,
        };
        return { temps: [], passes: [pass] };
      },
    },
  },
  grad: null, // second derivatives are not needed by any user of the engine
});

/** How many of the first validRows rows have their largest logit, the first of equals, at label. */
export const correctCount = defineOp({
  name: "correctCount",
  inputs: ["logits", "labels", "validRows"],
  outputs: ["count"],
  defaults: {},
  infer(inputs) {
    checkLabelled("correctCount", inputs, { logits: 0, labels: 1, validRows: 2 });
    return [meta([])];
  },
  variants: {
    rowPerLane: {
      usable: () => true,
      plan(inputs, _attrs, caps) {
        const { shape } = need(inputs, 0);
        const { rows, cols } = asRows(shape);
        const byRow: Pass = {
          label: `correctCount hits ${show(shape)}`,
          code: correctCountShader({ workgroup: ELEMENT_WORKGROUP }),
          bindings: [...reads("in0", "in1"), ...writes("temp0")],
          params: [u(rows), u(cols)],
          grid: elementGrid(rows, caps),
          flops: rows * cols,
          bytes: 4 * rows * cols,
        };
        return {
          temps: [meta([rows])],
          passes: [byRow, sumPass("correctCount", rows, "in2", false)],
        };
      },
    },
  },
  grad: null, // a count is piecewise constant
});
