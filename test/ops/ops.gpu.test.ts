/** Every row of the op table on the GPU: forward, every variant, gradient, shape rule, errors. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cases } from "../../src/kernels/cases.ts";
import type { Array64, OpCases, Sample } from "../../src/kernels/case.ts";
import { array64 } from "../../src/kernels/case.ts";
import { opEntries } from "../../src/kernels/index.ts";
import type { OpDef } from "../../src/kernels/op.ts";
import { createEngine, valueAndGrad } from "../../src/engine/index.ts";
import type { Engine, Tensor } from "../../src/engine/index.ts";
import { at } from "../../src/util/shape.ts";
import { differences, directions, worst } from "./compare.ts";
import { generator, hostArray, materialise, title } from "./samples.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  engine.destroy();
});

const SEED = 17;

function upload(sample: Sample, inputs: readonly (Array64 | null)[]): (Tensor | null)[] {
  return sample.inputs.map((spec, index) => {
    const values = at(inputs, index);
    return spec && values ? engine.tensor(hostArray(spec, values.data), spec.shape) : null;
  });
}

const attrsOf = (op: OpDef, sample: Sample) => ({ ...op.defaults, ...sample.attrs });

async function checkForward(op: OpDef, oracle: OpCases, sample: Sample, variant?: string) {
  const inputs = materialise(sample, SEED);
  const attrs = attrsOf(op, sample);
  const expected = oracle.reference(inputs, attrs);
  const scales = oracle.scale?.(inputs, attrs) ?? expected;
  await engine.scope(async () => {
    const tensors = upload(sample, inputs);
    const outputs = engine.run(op, tensors, attrs, variant);
    const results = op.mutates ? op.mutates.map((index) => at(tensors, index)) : outputs;
    for (const [k, want] of expected.entries()) {
      const result = at(results, k);
      expect(result?.shape, "shape rule").toEqual([...want.shape]);
      const got = (await result?.data()) ?? [];
      const { ratio, line } = worst(got, want, at(scales, k), oracle.tolerance);
      expect(ratio, `output ${k}: ${line}`).toBeLessThanOrEqual(1);
    }
  });
}

async function checkGradient(op: OpDef, oracle: OpCases, sample: Sample) {
  const inputs = materialise(sample, SEED);
  const attrs = attrsOf(op, sample);
  const random = generator(SEED + 1);
  const outputs = oracle.reference(inputs, attrs).slice(0, op.outputs.length);
  const cotangents = outputs.map(({ shape, data }) =>
    array64(
      shape,
      data.map(() => Math.fround(random() * 2 - 1)),
    ),
  );
  const floats = sample.inputs.flatMap((spec, index) =>
    spec && (spec.dtype ?? "f32") === "f32" ? [index] : [],
  );
  const grads = await engine.scope(async () => {
    const tensors = upload(sample, inputs);
    const watched = floats.flatMap((index) => at(tensors, index) ?? []);
    const { ops } = engine;
    const { grads } = valueAndGrad(engine, watched, () => {
      const results = engine.run(op, tensors, attrs);
      const terms = cotangents.map((cotangent, k) =>
        ops.sum(
          ops.mul(
            at(results, k),
            engine.tensor(Float32Array.from(cotangent.data), cotangent.shape),
          ),
        ),
      );
      return terms.reduce((a, b) => ops.add(a, b));
    });
    return Promise.all(grads.map((grad) => grad.floats()));
  });
  floats.forEach((which, k) => {
    const grad = at(grads, k);
    const along = directions(grad.length, SEED + 2);
    const wanted = differences(oracle, inputs, cotangents, attrs, { which, along });
    const got = along.map((d) => d.reduce((sum, value, n) => sum + value * at(grad, n), 0));
    const norm = Math.hypot(...wanted);
    const error = Math.hypot(...wanted.map((value, n) => value - at(got, n)));
    // Central differences of an O(1) objective carry about 1e-9 of rounding each.
    const floor = 1e-6 * Math.sqrt(wanted.length);
    expect(error, `d${at(op.inputs, which)}: norm ${norm}`).toBeLessThanOrEqual(
      (oracle.gradTolerance ?? 1e-4) * norm + floor,
    );
  });
}

for (const [name, op] of opEntries())
  describe(name, () => {
    const oracle: OpCases = cases[name];
    for (const sample of [...oracle.samples, ...(oracle.extremes ?? [])])
      for (const variant of Object.keys(op.variants))
        it(`${title(name, sample)} forward ${variant}`, async (context) => {
          const metas = sample.inputs.map((spec) =>
            spec ? { shape: spec.shape, dtype: spec.dtype ?? "f32" } : null,
          );
          if (
            at(
              Object.entries(op.variants).filter(([key]) => key === variant),
              0,
            )[1].usable(metas, attrsOf(op, sample), engine.caps)
          )
            await checkForward(op, oracle, sample, variant);
          else context.skip(`${variant} does not take this sample on this adapter`);
        });
    if (op.grad)
      for (const sample of oracle.samples.filter(({ gradient }) => gradient !== false))
        it(`${title(name, sample)} gradient`, () => checkGradient(op, oracle, sample));
    for (const sample of oracle.errors ?? [])
      it(`${title(name, sample)} throws`, () => {
        const inputs = materialise(sample, SEED);
        engine.scope(() => {
          expect(() => engine.run(op, upload(sample, inputs), attrsOf(op, sample))).toThrow(
            sample.throws,
          );
        });
      });
  });
