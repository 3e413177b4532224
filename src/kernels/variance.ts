/** Variance over any axes, in two passes: the mean first, then the squared deviations. */
import { ShapeError } from "../util/errors.ts";
import { meta, show } from "../util/shape.ts";
import { binaryPass } from "./broadcast.ts";
import { needDtype, normaliseAxes } from "./check.ts";
import { defineOp, need } from "./op.ts";
import { reads, writes } from "./pass.ts";
import { PREFER_REDUCTION, reducePlan, reduceVariants } from "./reduce-plan.ts";
import { axesOf, keptShape, reducedCount, reducedShape } from "./reduce.ts";
import type { ReduceAttrs } from "./reduce.ts";

/** `correction` 1 divides by count − 1 (Bessel), 0 by count. */
type VarianceAttrs = ReduceAttrs & Readonly<{ correction: number }>;
const defaults: VarianceAttrs = { axes: null, keepDims: false, correction: 1 };

/** y = Σ (x − mean x)² / (count − correction) over `axes`. */
export const variance = defineOp({
  name: "variance",
  inputs: ["x"],
  outputs: ["y"],
  defaults,
  infer(inputs, attrs) {
    const { shape } = needDtype("variance", inputs, [0, "x"]);
    if (reducedCount("variance", shape, attrs.axes) <= attrs.correction)
      throw new ShapeError("variance", `needs more than ${attrs.correction} elements`, {
        x: shape,
      });
    return [meta(reducedShape("variance", shape, attrs))];
  },
  variants: reduceVariants<VarianceAttrs>(axesOf("variance"), (layout, inputs, attrs, caps) => {
    const { shape } = need(inputs, 0);
    const axes = axesOf("variance")(inputs, attrs);
    const kept = keptShape("variance", shape, axes);
    const count = reducedCount("variance", shape, axes);
    const label = `variance of ${show(shape)}`;
    const shared = { label, combination: "sum", layout } as const;
    // temp0 = the mean, temp1 = the squared deviations
    const mean = { source: "in0", target: "temp0", temps: 2 } as const;
    const meanPlan = reducePlan(shape, axes, { ...shared, scale: 1 / count }, caps, mean);
    const sumPlace = { source: "temp1", target: "out0", temps: 2 + meanPlan.temps.length } as const;
    const scale = 1 / (count - attrs.correction);
    const sumPlan = reducePlan(shape, axes, { ...shared, scale }, caps, sumPlace);
    const deviations = {
      name: "variance",
      expression: "(a - b) * (a - b)",
      ...{ a: shape, b: kept, y: shape },
      bindings: [...reads("in0", "temp0"), ...writes("temp1")],
    };
    return {
      temps: [meta(kept), meta(shape), ...meanPlan.temps, ...sumPlan.temps],
      passes: [...meanPlan.passes, binaryPass(deviations, caps), ...sumPlan.passes],
    };
  }),
  prefer: PREFER_REDUCTION,
  // dx = g · 2 (x − mean x) / (count − correction); the mean's own share sums to 0.
  grad([g], { inputs: [x], attrs, shapes: [shape] }, ops) {
    if (!g || !x || !shape) return [null];
    const axes = normaliseAxes("variance", attrs.axes, shape);
    const count = reducedCount("variance", shape, axes);
    const sum = ops.sum(x, { axes, keepDims: true });
    const mean = ops.affine(sum, { scale: 1 / count, shift: 0 });
    const scaled = ops.affine(ops.reshape(g, { shape: keptShape("variance", shape, axes) }), {
      scale: 2 / (count - attrs.correction),
      shift: 0,
    });
    return [ops.mul(ops.sub(x, mean), scaled)];
  },
});
