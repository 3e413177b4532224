/** Oracles of patchify and its backward. Never imported by the library. */
import { at } from "../util/shape.ts";
import { array64 } from "./case.ts";
import type { OpCases } from "./case.ts";

const numberOf = (attrs: Readonly<Record<string, unknown>>, name: string): number => {
  const value = attrs[name];
  return typeof value === "number" ? value : NaN;
};

/** For images [N, H, W, C], the pixel that each float of the patches comes from, in their order. */
function pixelOrder(shape: readonly number[], patch: number): number[] {
  const [batch = 0, height = 0, width = 0, channels = 0] = shape;
  const order: number[] = [];
  for (let image = 0; image < batch; image++)
    for (let top = 0; top < height; top += patch)
      for (let left = 0; left < width; left += patch)
        for (let py = 0; py < patch; py++)
          for (let px = 0; px < patch; px++)
            for (let channel = 0; channel < channels; channel++)
              order.push(((image * height + top + py) * width + left + px) * channels + channel);
  return order;
}

/** Oracle of patchify. */
export const patchifyCases: OpCases = {
  reference([x], attrs) {
    if (!x) return [];
    const patch = numberOf(attrs, "patch");
    const [batch = 0, height = 0, width = 0, channels = 0] = x.shape;
    const tokens = (height / patch) * (width / patch);
    const order = pixelOrder(x.shape, patch);
    return [
      array64(
        [batch, tokens, patch * patch * channels],
        order.map((pixel) => at(x.data, pixel)),
      ),
    ];
  },
  samples: [
    { inputs: [{ shape: [2, 4, 6, 3] }], attrs: { patch: 2 } },
    { inputs: [{ shape: [1, 1, 1, 1] }], attrs: { patch: 1 } },
    { inputs: [{ shape: [3, 9, 3, 1] }], attrs: { patch: 3 } },
    { inputs: [{ shape: [2, 14, 14, 1] }], attrs: { patch: 7 } },
  ],
  errors: [
    {
      inputs: [{ shape: [1, 28, 30, 1] }],
      attrs: { patch: 7 },
      throws:
        /patchify: images of 28×30 do not divide into patches of 7; resize or pad them to a multiple of 7/,
    },
    {
      inputs: [{ shape: [28, 28, 1] }],
      attrs: { patch: 7 },
      throws: /patchify: x must be \[N, H, W, C\]; got x \[28, 28, 1\]/,
    },
    { inputs: [{ shape: [1, 4, 4, 1] }], attrs: { patch: 0 }, throws: /patch must be a whole/ },
  ],
  tolerance: { rel: 0, abs: 0, why: "numbers move, nothing is computed" },
  bench: [{ inputs: [{ shape: [64, 28, 28, 1] }], attrs: { patch: 4 } }],
};

/** Oracle of patchifyBackward. */
export const patchifyBackwardCases: OpCases = {
  reference([g], attrs) {
    if (!g) return [];
    const patch = numberOf(attrs, "patch");
    const [batch = 0, , inner = 0] = g.shape;
    const height = numberOf(attrs, "height");
    const dx = array64([batch, height, numberOf(attrs, "width"), inner / (patch * patch)]);
    pixelOrder(dx.shape, patch).forEach((pixel, index) => {
      dx.data[pixel] = at(g.data, index);
    });
    return [dx];
  },
  samples: [
    { inputs: [{ shape: [2, 6, 12] }], attrs: { patch: 2, height: 4, width: 6 } },
    { inputs: [{ shape: [1, 1, 1] }], attrs: { patch: 1, height: 1, width: 1 } },
    { inputs: [{ shape: [3, 3, 9] }], attrs: { patch: 3, height: 9, width: 3 } },
  ],
  errors: [
    {
      inputs: [{ shape: [2, 5, 12] }],
      attrs: { patch: 2, height: 4, width: 6 },
      throws: /patchifyBackward: g must be \[N, 6, a multiple of 4\]; got g \[2, 5, 12\]/,
    },
  ],
  tolerance: { rel: 0, abs: 0, why: "numbers move, nothing is computed" },
  bench: [{ inputs: [{ shape: [64, 49, 16] }], attrs: { patch: 4, height: 28, width: 28 } }],
};
