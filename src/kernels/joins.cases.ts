/** Oracles of pad and concat. Never imported by the library. */
import { at } from "../util/shape.ts";
import type { OpCases } from "./case.ts";
import { build, given, pick } from "./reference64.ts";

const EXACT = { rel: 0, abs: 0, why: "values are moved, not computed" };

/** `place` with `shift` taken off along `axis`. */
const moved = (place: readonly number[], axis: number, shift: number): number[] =>
  place.map((p, k) => (k === axis ? p - shift : p));

/** Oracle of pad. */
export const padCases: OpCases = {
  reference(inputs, attrs) {
    const x = given(inputs, 0);
    const axis = (Number(attrs["axis"]) + x.shape.length) % x.shape.length;
    const [before, after] = [Number(attrs["before"]), Number(attrs["after"])];
    const size = at(x.shape, axis);
    return [
      build(x.shape.with(axis, before + size + after), (place) => {
        const p = at(place, axis) - before;
        return p >= 0 && p < size ? pick(x, moved(place, axis, before)) : 0;
      }),
    ];
  },
  samples: [
    { inputs: [{ shape: [4, 7] }], attrs: { axis: 1, before: 2, after: 1 } },
    { inputs: [{ shape: [2, 3, 4] }], attrs: { axis: 1, before: 1, after: 2 } },
    { inputs: [{ shape: [5] }], attrs: { axis: -1, before: 0, after: 90 } },
    { inputs: [{ shape: [1] }], attrs: {} },
  ],
  errors: [
    {
      inputs: [{ shape: [4] }],
      attrs: { before: -1 },
      throws: /pad: before -1 and after 0 must be counts; got x \[4\]/,
    },
  ],
  tolerance: EXACT,
  bench: [{ inputs: [{ shape: [64, 1, 192] }], attrs: { axis: 1, before: 0, after: 49 } }],
};

/** Oracle of concat. */
export const concatCases: OpCases = {
  reference(inputs, attrs) {
    const [a, b] = [given(inputs, 0), given(inputs, 1)];
    const axis = (Number(attrs["axis"]) + a.shape.length) % a.shape.length;
    const border = at(a.shape, axis);
    return [
      build(a.shape.with(axis, border + at(b.shape, axis)), (place) =>
        at(place, axis) < border ? pick(a, place) : pick(b, moved(place, axis, border)),
      ),
    ];
  },
  samples: [
    { inputs: [{ shape: [4, 7] }, { shape: [2, 7] }] },
    { inputs: [{ shape: [3, 1, 8] }, { shape: [3, 5, 8] }], attrs: { axis: 1 } },
    { inputs: [{ shape: [3, 2] }, { shape: [3, 3] }], attrs: { axis: -1 } },
    { inputs: [{ shape: [1] }, { shape: [70] }] },
  ],
  errors: [
    {
      inputs: [{ shape: [4, 7] }, { shape: [4, 6] }],
      throws: /concat: a and b may differ along axis 0 only; got a \[4, 7\], b \[4, 6\]/,
    },
  ],
  tolerance: EXACT,
  bench: [{ inputs: [{ shape: [64, 1, 192] }, { shape: [64, 49, 192] }], attrs: { axis: 1 } }],
};
