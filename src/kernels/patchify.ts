/** Cuts images into patches, the first step of a Vision Transformer, and the way back. */
import { patchify as patchifyShader } from "../../shaders/patchify.wgsl.ts";
import { ShapeError } from "../util/errors.ts";
import { at, meta, show, sizeOf } from "../util/shape.ts";
import type { Shape } from "../util/shape.ts";
import { defineOp, need } from "./op.ts";
import type { Caps, Plan } from "./op.ts";
import { ELEMENT_WORKGROUP, elementGrid, reads, u, writes } from "./pass.ts";

/** What the index map needs to know of the images. */
interface Cut {
  readonly patch: number;
  readonly width: number;
  readonly channels: number;
}

function plan(label: string, count: number, cut: Cut & { isInverse: boolean }, caps: Caps): Plan {
  const { patch, width, channels, isInverse } = cut;
  return {
    temps: [],
    passes: [
      {
        label,
        code: patchifyShader({ workgroup: ELEMENT_WORKGROUP, isInverse }),
        bindings: [...reads("in0"), ...writes("out0")],
        params: [u(count), u(width * channels), u(patch * channels), u(patch)],
        grid: elementGrid(count, caps),
        flops: 0,
        bytes: 8 * count,
      },
    ],
  };
}

function checkPatch(op: string, patch: number, height: number, width: number): void {
  if (!Number.isInteger(patch) || patch < 1)
    throw new ShapeError(op, `patch must be a whole number from 1 on, not ${patch}`);
  if (height % patch !== 0 || width % patch !== 0)
    throw new ShapeError(
      op,
      `images of ${height}×${width} do not divide into patches of ${patch}; resize or pad them to a multiple of ${patch}, or choose another patch size`,
    );
}

/** x [N, H, W, C] → y [N, (H/P)(W/P), P·P·C]: patches by rows, inside each (py, px, c). */
export const patchify = defineOp({
  name: "patchify",
  inputs: ["x"],
  outputs: ["y"],
  defaults: { patch: 1 },
  infer(inputs, { patch }) {
    const { shape, dtype } = need(inputs, 0);
    if (shape.length !== 4)
      throw new ShapeError("patchify", "x must be [N, H, W, C]", { x: shape });
    const [batch, height, width, channels] = imageSizes(shape);
    checkPatch("patchify", patch, height, width);
    const tokens = (height / patch) * (width / patch);
    return [meta([batch, tokens, patch * patch * channels], dtype)];
  },
  variants: {
    element: {
      usable: () => true,
      plan(inputs, { patch }, caps) {
        const { shape } = need(inputs, 0);
        const [, , width, channels] = imageSizes(shape);
        const cut = { patch, width, channels, isInverse: false };
        return plan(`patchify y ${show(shape)}`, sizeOf(shape), cut, caps);
      },
    },
  },
  // Each pixel goes to one place: the gradient comes back the same way.
  grad: ([g], { shapes: [shape], attrs: { patch } }, ops) => {
    if (!g || !shape) return [];
    const [, height, width] = imageSizes(shape);
    return [ops.patchifyBackward(g, { patch, height, width })];
  },
});

function imageSizes(shape: Shape): [number, number, number, number] {
  return [at(shape, 0), at(shape, 1), at(shape, 2), at(shape, 3)];
}

/** g [N, T, P·P·C] → dx [N, H, W, C]: patches put back into images of the given size. */
export const patchifyBackward = defineOp({
  name: "patchifyBackward",
  inputs: ["g"],
  outputs: ["dx"],
  defaults: { patch: 1, height: 1, width: 1 },
  infer(inputs, { patch, height, width }) {
    const { shape, dtype } = need(inputs, 0);
    checkPatch("patchifyBackward", patch, height, width);
    const tokens = (height / patch) * (width / patch);
    if (shape.length !== 3 || at(shape, 1) !== tokens || at(shape, 2) % (patch * patch) !== 0)
      throw new ShapeError(
        "patchifyBackward",
        `g must be [N, ${tokens}, a multiple of ${patch * patch}]`,
        { g: shape },
      );
    return [meta([at(shape, 0), height, width, at(shape, 2) / (patch * patch)], dtype)];
  },
  variants: {
    element: {
      usable: () => true,
      plan(inputs, { patch, width }, caps) {
        const { shape } = need(inputs, 0);
        const cut = { patch, width, channels: at(shape, 2) / (patch * patch), isInverse: true };
        return plan(`patchifyBackward dx ${show(shape)}`, sizeOf(shape), cut, caps);
      },
    },
  },
  grad: null, // second derivatives are not needed by any user of the engine
});
