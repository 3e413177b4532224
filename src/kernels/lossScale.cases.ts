/** Oracle of lossScale. Never imported by the library. */
import { array64 } from "./case.ts";
import type { OpCases, Sample } from "./case.ts";

/** A call on the state [factor, skipped, scale, good] with gradients of that squared norm. */
const call = (
  state: readonly number[],
  squaredNorm: number,
  attrs: Readonly<Record<string, unknown>> = {},
): Sample => ({
  inputs: [
    { shape: [4], values: state },
    { shape: [1], values: [squaredNorm] },
  ],
  attrs,
});

/** Oracle of lossScale. */
export const lossScaleCases: OpCases = {
  reference([state, squaredNorm], attrs) {
    const [, skipped = 0, scale = 0, good = 0] = state?.data ?? [];
    const [squared = Number.NaN] = squaredNorm?.data ?? [];
    if (!Number.isFinite(squared))
      return [array64([4], [0, skipped + 1, Math.max(scale / 2, 1), 0])];
    const maxNorm = Number(attrs["maxNorm"]);
    const clip = maxNorm > 0 ? Math.min(1, maxNorm / (Math.sqrt(squared) / scale + 1e-6)) : 1;
    const grows = good + 1 >= Number(attrs["growAfter"]);
    const next = grows ? [Math.min(2 * scale, 2 ** 24), 0] : [scale, good + 1];
    return [array64([4], [clip / scale, skipped, ...next])];
  },
  samples: [
    call([0, 0, 65536, 0], 1e6),
    call([0, 2, 1024, 7], 4e6, { maxNorm: 1 }),
    call([0, 2, 1024, 7], 1e4, { maxNorm: 1 }),
    call([0, 0, 512, 2], 0, { maxNorm: 1, growAfter: 3 }),
    call([0, 0, 65536, 1999], 1e6),
    call([0, 0, 2 ** 24, 1999], 1e6),
  ],
  extremes: [
    call([1, 3, 65536, 44], Infinity, { maxNorm: 1 }),
    call([1, 3, 65536, 44], Number.NaN),
    call([1, 3, 1, 0], Infinity),
    call([1, 3, 65536, 44], 3.4e38),
  ],
  errors: [
    {
      inputs: [{ shape: [1] }, { shape: [1] }],
      throws: /lossScale: state must hold 4 values; got state \[1\]/,
    },
  ],
  tolerance: { rel: 1e-6, abs: 1e-30, why: "a root and three quotients at 2.5 ULP each" },
};
