/** Multi-head attention from packed queries, keys and values, its gradient, and its maps. */
import { attentionDelta } from "../../shaders/attentionDelta.wgsl.ts";
import { attentionMaps as attentionMapsShader } from "../../shaders/attentionMaps.wgsl.ts";
import { ShapeError } from "../util/errors.ts";
import { meta, sameShape, show, sizeOf } from "../util/shape.ts";
import { PREFER, variantsOf } from "./attention-families.ts";
import type { Kernels } from "./attention-families.ts";
import {
  checkDropped,
  checkPacked,
  checkQueries,
  drawsOf,
  flopsOf,
  headGrid,
  LANE_ROWS,
  paramsOf,
  sizesOf,
  unlessEmpty,
} from "./attention-layout.ts";
import type { AttentionAttrs, HeadAttrs, Sizes } from "./attention-layout.ts";
import { needDtype, needFloat } from "./check.ts";
import { flatWidth } from "./layout.ts";
import { defineOp, need } from "./op.ts";
import type { Caps, Pass, Plan } from "./op.ts";
import { reads, writes } from "./pass.ts";

/**
 * y = dropout(softmax(q · kᵀ / √(D/H))) · v per head, from qkv [N, T, 3D] packed as [3, H, D/H]. y
 * is [N, `queries`, D], of the first tokens (all of them by default), stored as qkv is, f16 or f32.
 * Weights are dropped at `rate` as by `dropout`, drawn from `stream` under key u32 [4]; at rate 0,
 * the default, there is no key.
 */
export const attention = defineOp({
  name: "attention",
  inputs: ["qkv", "key?"],
  outputs: ["y"],
  saves: ["lse"],
  halves: ["qkv"],
  defaults: { heads: 1, queries: 0, rate: 0, stream: 0 },
  infer(inputs, attrs: AttentionAttrs) {
    const qkv = needFloat("attention", inputs, [0, "qkv"]);
    checkPacked("attention", qkv, attrs);
    const sizes = sizesOf(qkv, attrs);
    checkQueries("attention", sizes);
    checkDropped("attention", sizes, inputs[1] ?? null, attrs.rate);
    const { batches, queries, heads, width } = sizes;
    return [meta([batches, queries, width], qkv.dtype), meta([batches, heads, queries])];
  },
  variants: variantsOf((kernels, sizes, attrs, caps) => {
    const { batches, tokens, queries, width, isHalf } = sizes;
    const draws = drawsOf(attrs, "in1");
    const pass: Pass = {
      label: `attention y ${show([batches, queries, width])}`,
      code: kernels.forward.code,
      bindings: [...reads("in0"), ...writes("out0", "out1"), ...draws.bindings],
      params: [...paramsOf(sizes), ...draws.params],
      grid: headGrid(sizes, [kernels.forward.rows, "queries"], caps),
      flops: flopsOf(sizes, 2),
      bytes: (isHalf ? 4 : 8) * batches * (queries + tokens) * width,
    };
    return { temps: [], passes: [pass] };
  }, 0),
  prefer: PREFER,
  grad([given], { inputs: [qkv, key], outputs: [y], saved: [lse], attrs, dtypes }, ops) {
    if (!given || !qkv || !y || !lse) return [];
    const g = dtypes[0] === "f16" ? ops.cast(given, { dtype: "f16" }) : given;
    const drawn = attrs.rate > 0 && key ? key : null;
    return [ops.attentionBackward(g, qkv, y, lse, drawn, attrs), null];
  },
});

/**
 * The three passes: delta, dq by queries, dk and dv by keys; the scores are computed anew. Tokens that
 * ask nothing have their zeros of dq from the last.
 */
function backwardPlan(kernels: Kernels, sizes: Sizes, attrs: AttentionAttrs, caps: Caps): Plan {
  const { batches, tokens, queries, heads, headSize, width, isHalf } = sizes;
  const asked = batches * queries * width;
  const read = (isHalf ? 4 : 8) * (batches * tokens * width + asked); // k and v of tokens, q and g of queries
  const draws = drawsOf(attrs, "in4");
  const bindings = [...reads("in0", "in1", "in3", "temp0"), ...writes("out0"), ...draws.bindings];
  const params = [...paramsOf(sizes), ...draws.params];
  return {
    temps: [meta([batches, heads, queries])],
    passes: [
      {
        label: `attentionBackward delta ${show([batches, heads, queries])}`,
        code: attentionDelta({ headSize, width: flatWidth(headSize), isHalf }),
        bindings: [...reads("in0", "in2"), ...writes("temp0")],
        params: paramsOf(sizes),
        grid: headGrid(sizes, [LANE_ROWS, "queries"], caps),
        flops: 2 * asked,
        bytes: (isHalf ? 4 : 8) * asked,
      },
      {
        label: `attentionBackward dq ${show([batches, queries, width])}`,
        code: kernels.query.code,
        bindings,
        params,
        grid: headGrid(sizes, [kernels.query.rows, "queries"], caps),
        flops: flopsOf(sizes, 3),
        bytes: read + 4 * asked,
      },
      {
        label: `attentionBackward dk, dv ${show([batches, tokens, width])}`,
        code: kernels.key.code,
        bindings,
        params,
        grid: headGrid(sizes, [kernels.key.rows, "tokens"], caps),
        flops: flopsOf(sizes, 4),
        bytes: read + 8 * batches * tokens * width,
      },
    ],
  };
}

// With s = scale · q·kᵀ, p = softmax(s), m the mask (0 where dropped, else 1 / (1 − rate)) and
// y = (m ∘ p)·v (Dao et al., FlashAttention, B.2): dv = (m ∘ p)ᵀ·g, dp = m ∘ (g·vᵀ),
// ds = p ∘ (dp − Σ_key p·dp), and as m is part of y, still
// Σ_key p·dp = Σ_key m·p·(g·v) = Σ_d g·Σ_key m·p·v = Σ_d g·y = delta;
// dq = scale · ds·k, dk = scale · dsᵀ·q.
/** The gradient of attention: dqkv, in f32, from g, the inputs, the output and its log-sum-exp. */
export const attentionBackward = defineOp({
  name: "attentionBackward",
  inputs: ["g", "qkv", "y", "lse", "key?"],
  outputs: ["dqkv"],
  halves: ["g", "qkv", "y"],
  defaults: { heads: 1, queries: 0, rate: 0, stream: 0 },
  infer(inputs, attrs: AttentionAttrs) {
    const g = needFloat("attentionBackward", inputs, [0, "g"]);
    const qkv = needFloat("attentionBackward", inputs, [1, "qkv"]);
    checkPacked("attentionBackward", qkv, attrs);
    const sizes = sizesOf(qkv, attrs);
    checkQueries("attentionBackward", sizes);
    checkDropped("attentionBackward", sizes, inputs[4] ?? null, attrs.rate);
    const { batches, queries, heads, width } = sizes;
    const y = need(inputs, 2);
    if (![g, y].every(({ shape }) => sameShape(shape, [batches, queries, width])))
      throw new ShapeError("attentionBackward", "g and y must be [batch, queries, width]", {
        g: g.shape,
        qkv: qkv.shape,
        y: y.shape,
      });
    if (g.dtype !== qkv.dtype || y.dtype !== qkv.dtype)
      throw new ShapeError(
        "attentionBackward",
        `g is ${g.dtype}, qkv ${qkv.dtype} and y ${y.dtype}, not all one; use cast`,
        { qkv: qkv.shape },
      );
    if (!sameShape(need(inputs, 3).shape, [batches, heads, queries]))
      throw new ShapeError("attentionBackward", "lse must be [batch, heads, queries]", {
        qkv: qkv.shape,
        lse: need(inputs, 3).shape,
      });
    return [meta(qkv.shape)];
  },
  variants: variantsOf(backwardPlan, 1),
  prefer: PREFER,
  grad: null, // second derivatives are not needed by any user of the engine
});

/** softmax(q · kᵀ / √(D/H)) itself, [N, H, T, T]: large, so only for rollout and pictures. */
export const attentionMaps = defineOp({
  name: "attentionMaps",
  inputs: ["qkv"],
  outputs: ["maps"],
  defaults: { heads: 1 },
  infer(inputs, attrs: HeadAttrs) {
    const qkv = needDtype("attentionMaps", inputs, [0, "qkv"]);
    checkPacked("attentionMaps", qkv, attrs);
    const { batches, tokens, heads } = sizesOf(qkv, attrs);
    return [meta([batches, heads, tokens, tokens])];
  },
  variants: {
    rowPerLane: {
      usable: () => true,
      plan(inputs, attrs, caps) {
        const sizes = sizesOf(need(inputs, 0), attrs);
        const { batches, tokens, heads, headSize } = sizes;
        const shape = [batches, heads, tokens, tokens];
        const pass: Pass = {
          label: `attentionMaps maps ${show(shape)}`,
          code: attentionMapsShader({ headSize }),
          bindings: [...reads("in0"), ...writes("out0")],
          params: paramsOf(sizes),
          grid: headGrid(sizes, [LANE_ROWS, "queries"], caps),
          flops: flopsOf(sizes, 1),
          bytes: 4 * sizeOf(shape),
        };
        return unlessEmpty(sizes, { temps: [], passes: [pass] });
      },
    },
  },
  grad: null, // rollout looks at maps, it does not train through them
});
