/** y = (x − mean) · rstd · weight + bias along the last axis. */
import { layernorm as layernormShader } from "../../shaders/layernorm.wgsl.ts";
import { layernormWide } from "../../shaders/layernormWide.wgsl.ts";
import { ceilDiv, meta, show, sizeOf } from "../util/shape.ts";
import { checkRows, packOptions, registerVariants } from "./layernorm-layout.ts";
import type { RowKernel } from "./layernorm-layout.ts";
import { defineOp, need } from "./op.ts";
import type { InputMetas, Pass, Plan } from "./op.ts";
import { asRows, f, foldGrid, reads, u, writes } from "./pass.ts";

/** Rows that a lane group takes with one load of weight and bias; GPUs need the parallelism more. */
const FORWARD_ROWS = { cpu: 8, gpu: 1 } as const;

/** The same where rows are wide: on lavapipe 4 take 1.05 times as long, and twice as long to compile. */
const WIDE_ROWS = 2;

function forwardPlan(inputs: InputMetas, { width, code, ...dispatch }: RowKernel): Plan {
  const { shape } = need(inputs, 0);
  const pass: Pass = {
    ...dispatch,
    code: code(),
    label: `layernorm y ${show(shape)}`,
    bindings: [...reads("in0", "in1", "in2"), ...writes("out0", "out1", "out2")],
    flops: 8 * sizeOf(shape),
    bytes: 8 * sizeOf(shape),
    isCheap: true,
    tail: {
      binding: 3,
      name: "y",
      count: sizeOf(shape),
      width,
      code: (epilogue) => code({ epilogue }),
    },
  };
  return { temps: [], passes: [pass] };
}

/** Layer normalisation of x [..., D] with weight [D] and bias [D]; the variance takes two passes. */
export const layernorm = defineOp({
  name: "layernorm",
  inputs: ["x", "weight", "bias"],
  outputs: ["y"],
  saves: ["mean", "rstd"],
  defaults: { eps: 1e-6 },
  infer(inputs) {
    const x = need(inputs, 0);
    checkRows("layernorm", x, { weight: need(inputs, 1), bias: need(inputs, 2) });
    const { rows } = asRows(x.shape);
    return [x, meta([rows]), meta([rows])];
  },
  variants: registerVariants<{ eps: number }>({
    rowsOf: 0,
    rowsAtOnce: WIDE_ROWS,
    narrow: (layout, inputs, attrs, caps) => {
      const rowsEach = FORWARD_ROWS[caps.adapterClass];
      const { rows, cols } = asRows(need(inputs, 0).shape);
      const options = packOptions(layout, cols);
      return forwardPlan(inputs, {
        width: options.width,
        code: (epilogue) => layernormShader({ ...options, ...epilogue }),
        params: [u(rows), u(rowsEach), f(attrs.eps)],
        grid: foldGrid(ceilDiv(rows, rowsEach * layout.rowsPerWorkgroup), caps),
      });
    },
    wide: (options, inputs, attrs, caps) => {
      const { rows, cols } = asRows(need(inputs, 0).shape);
      return forwardPlan(inputs, {
        width: options.width,
        code: (epilogue) => layernormWide({ ...options, ...epilogue }),
        params: [u(rows), u(cols / options.width), f(attrs.eps)],
        grid: foldGrid(ceilDiv(rows, options.rowsAtOnce * options.subgroupsPerWorkgroup), caps),
      });
    },
  }),
  // y = x̂·w + b with x̂ = (x − m)·r, r = (var + eps)^(−1/2):
  // dw = Σ g·x̂, db = Σ g; with gw = g·w, dm/dx = 1/D and dr/dx = −r²·x̂/D:
  // dx = r · (gw − Σ gw / D − x̂ · Σ gw·x̂ / D)
  grad: ([g], { inputs: [x, weight], saved: [mean, rstd] }, ops) =>
    g && x && weight && mean && rstd ? ops.layernormBackward(g, x, weight, mean, rstd) : [],
});
