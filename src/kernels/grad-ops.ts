/** The ops that gradient rules call, blind to what a tensor is; deriving it from the table would be circular. */
import type { DType } from "../util/shape.ts";

/** Axes-changing attributes that gradient rules use. */
interface Transposes {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

/** Ops by name for gradient rules; V is a tensor, or whatever records one. */
export interface GradOps<V> {
  add(a: V, b: V): V;
  sub(a: V, b: V): V;
  mul(a: V, b: V): V;
  div(a: V, b: V): V;
  neg(x: V): V;
  square(x: V): V;
  log(x: V): V;
  affine(x: V, attrs: { readonly scale: number; readonly shift?: number }): V;
  greater(a: V, b: V): V;
  greaterEqual(a: V, b: V): V;
  equal(a: V, b: V): V;
  pow(a: V, b: V): V;
  cast(x: V, attrs: { readonly dtype: DType }): V;
  matmul(a: V, b: V, bias: V | null, attrs?: Transposes): V;
  sum(x: V, attrs: { readonly axes: readonly number[]; readonly keepDims?: boolean }): V;
  sumTo(x: V, attrs: { readonly shape: readonly number[] }): V;
  broadcastTo(x: V, attrs: { readonly shape: readonly number[] }): V;
  reshape(x: V, attrs: { readonly shape: readonly number[] }): V;
  permute(x: V, attrs: { readonly axes: readonly number[] }): V;
  slice(x: V, attrs: { readonly axis: number; readonly start: number; readonly end: number }): V;
  pad(x: V, attrs: { readonly axis: number; readonly before: number; readonly after: number }): V;
  where(condition: V, a: V, b: V): V;
  dropout(x: V, key: V, attrs: { readonly rate: number; readonly stream: number }): V;
  dropPath(x: V, key: V, attrs: { readonly rate: number; readonly stream: number }): V;
  unaryBackward(g: V, x: V, attrs: { readonly of: string }): V;
  softmaxBackward(g: V, y: V): V;
  layernormBackward(g: V, x: V, weight: V, mean: V, rstd: V, attrs?: object): readonly V[];
  attentionBackward(
    g: V,
    qkv: V,
    y: V,
    lse: V,
    key: V | null,
    attrs: { readonly heads: number; readonly rate: number; readonly stream: number },
  ): V;
  crossEntropyBackward(
    g: V,
    logits: V,
    labels: V,
    lse: V,
    validRows: V,
    attrs: { readonly labelSmoothing: number },
  ): V;
  gatherBackward(g: V, indices: V, attrs: { readonly rows: number }): V;
  patchifyBackward(
    g: V,
    attrs: { readonly patch: number; readonly height: number; readonly width: number },
  ): V;
}
