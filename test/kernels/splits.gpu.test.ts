/** Long sums in parts, as a GPU gets them: every variant, with biases, f16 operands and fused stages. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Engine } from "../../src/engine/engine.ts";
import { createEngine, program } from "../../src/engine/index.ts";
import type { InputTensors, Tensor } from "../../src/engine/index.ts";
import type { Sample } from "../../src/kernels/case.ts";
import { matmul } from "../../src/kernels/matmul.ts";
import { matmulCases } from "../../src/kernels/matmul.cases.ts";
import type { OpDef } from "../../src/kernels/op.ts";
import { at } from "../../src/util/shape.ts";
import { uniform } from "../../bench/workloads.ts";
import { metasOf } from "../../tools/expanded.ts";
import { checkForward, isUsable } from "../ops/check.ts";
import { title } from "../ops/samples.ts";

/** An engine that takes this adapter for a GPU: few tiles get many parts, with a bias as without. */
let engine: Engine;
beforeAll(async () => {
  const { gpu } = await createEngine();
  engine = new Engine({ ...gpu, caps: { ...gpu.caps, adapterClass: "gpu" } }, {});
});
afterAll(() => {
  engine.destroy();
});

const op = matmul as OpDef; // its own attributes are forgotten here

/** How many parts a variant cuts a sample into. */
function partsOf(sample: Sample, variant: string): number {
  const attrs = { ...op.defaults, ...sample.attrs };
  const { temps = [] } = op.variants[variant]?.plan(metasOf(sample), attrs, engine.caps) ?? {};
  return temps[0]?.shape[0] ?? 1;
}

const f16 = "f16" as const;
const TERMS = 1_536; // three parts even of the tiles that want the most
/** In whole vectors or not; even parts, or a last one that is shorter; two batches. */
const TILED: readonly Sample[] = [
  { inputs: [{ shape: [35, TERMS] }, { shape: [TERMS, 12] }, { shape: [12] }] },
  {
    inputs: [{ shape: [5, TERMS + 3] }, { shape: [7, TERMS + 3] }, { shape: [7] }],
    attrs: { transposeB: true },
  },
  { inputs: [{ shape: [2, TERMS, 6] }, { shape: [2, TERMS, 8] }], attrs: { transposeA: true } },
  {
    inputs: [{ shape: [3, TERMS], dtype: f16 }, { shape: [TERMS, 8], dtype: f16 }, { shape: [8] }],
  },
];
/** Its lanes share out k, so that only longer sums have parts. */
const FEW_ROWS: readonly Sample[] = [
  { inputs: [{ shape: [1, 3_072] }, { shape: [3_072, 8] }, { shape: [8] }] },
  {
    inputs: [{ shape: [3, 3_075] }, { shape: [5, 3_075] }, { shape: [5] }],
    attrs: { transposeB: true },
  },
];

describe.each(Object.keys(op.variants))("parts of matmul %s", (variant) => {
  for (const sample of variant === "fewRows" ? FEW_ROWS : TILED)
    it(title("matmul", sample), async (context) => {
      const row = { op, oracle: matmulCases, sample };
      if (!isUsable(engine, row, variant)) context.skip(`${variant} is not for this adapter`);
      expect(partsOf(sample, variant)).toBeGreaterThanOrEqual(3);
      await checkForward(engine, row, variant);
    });
});

/** The same operations in the same order; WGSL lets compilers contract a · b + c across stages. */
const TOLERANCE = 4e-6;

describe.each([12, 7])("parts of a product of %d columns", (cols) => {
  const rows = 9;
  const hosts = {
    a: { values: uniform(rows * TERMS, 3, 1), shape: [rows, TERMS] },
    b: { values: uniform(TERMS * cols, 4, 1), shape: [TERMS, cols] },
    bias: { values: uniform(cols, 5, 1), shape: [cols] },
    skip: { values: uniform(rows * cols, 6, 1), shape: [rows, cols] },
  };
  const body = ({ a, b, bias, skip }: InputTensors<keyof typeof hosts>): Tensor[] => {
    const hidden = engine.ops.matmul(a, b, bias);
    return [hidden, engine.ops.add(skip, engine.ops.gelu(hidden))];
  };

  async function run(fuse: boolean): Promise<{ values: number[][]; passes: number | undefined }> {
    const compiled = program(engine, body, { fuse });
    const tensors = await compiled.run(hosts);
    const values = await Promise.all(tensors.map((tensor) => tensor.data()));
    const passes = compiled.stats?.passes;
    compiled.dispose();
    return { values: values.map((list) => [...list]), passes };
  }

  it("are added up by the pass that stores gelu and the residual's sum", async () => {
    const fused = await run(true);
    const plain = await run(false);
    expect([fused.passes, plain.passes]).toEqual([2, 4]);
    fused.values.forEach((list, index) => {
      const expected = at(plain.values, index);
      const largest = Math.max(...expected.map(Math.abs));
      list.forEach((value, k) => {
        expect(Math.abs(value - at(expected, k))).toBeLessThanOrEqual(TOLERANCE * largest);
      });
    });
  });
});
