/** The oracle's erf against 40-digit values. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { erf64, erfc64, normalCdf64 } from "../../src/kernels/erf64.ts";

interface Golden {
  readonly x: number;
  readonly erf: number;
  readonly erfc: number;
  readonly gelu: number;
}
// The file is ours: test/golden/make_erf_goldens.py.
const goldens = JSON.parse(
  readFileSync(new URL("../golden/erf.json", import.meta.url), "utf8"),
) as Golden[];

/** |Δ| relative to the value. */
const off = (got: number, want: number): number =>
  got === want ? 0 : Math.abs(got - want) / Math.abs(want);

for (const { x, erf, erfc, gelu } of goldens)
  it(`erf, erfc and gelu at ${x}`, () => {
    expect(off(erf64(x), erf)).toBeLessThan(1e-15);
    // Far out, exp(−x²) costs x² roundings of the exponent.
    expect(off(erfc64(x), erfc)).toBeLessThan(1e-15 * Math.max(4, x * x));
    expect(off(x * normalCdf64(x), gelu)).toBeLessThan(1e-15 * Math.max(4, x * x));
  });
