/** Checks one row of the op table on an engine; the same in Node and in a page. Throws what is wrong. */
import type { Array64, OpCases, Sample } from "../../src/kernels/case.ts";
import { array64 } from "../../src/kernels/case.ts";
import type { Attrs, OpDef } from "../../src/kernels/op.ts";
import { valueAndGrad } from "../../src/engine/index.ts";
import type { Engine, Tensor } from "../../src/engine/index.ts";
import { at, sameShape, show } from "../../src/util/shape.ts";
import { differences, directions, worst } from "./compare.ts";
import { generator, hostArray, materialise } from "./samples.ts";

const SEED = 17;

/** An op with what it is held against. */
export interface Row {
  readonly op: OpDef;
  readonly oracle: OpCases;
  readonly sample: Sample;
}

const attrsOf = ({ op, sample }: Pick<Row, "op" | "sample">): Attrs => ({
  ...op.defaults,
  ...sample.attrs,
});

function upload(
  engine: Engine,
  sample: Pick<Sample, "inputs">,
  inputs: readonly (Array64 | null)[],
): (Tensor | null)[] {
  return sample.inputs.map((spec, index) => {
    const values = at(inputs, index);
    return spec && values ? engine.tensor(hostArray(spec, values.data), spec.shape) : null;
  });
}

/** Whether a sample names f16, in its inputs or as what it asks for. */
const namesHalf = ({ inputs, attrs }: Pick<Sample, "inputs" | "attrs">): boolean =>
  attrs?.["dtype"] === "f16" || inputs.some((spec) => spec?.dtype === "f16");

/** Whether the adapter has the dtypes of a sample. */
export const isHeld = (engine: Engine, sample: Pick<Sample, "inputs" | "attrs">): boolean =>
  engine.caps.features.has("shader-f16") || !namesHalf(sample);

/** Whether a variant takes the sample on this adapter. */
export function isUsable(
  engine: Engine,
  row: Pick<Row, "op" | "sample">,
  variant: string,
): boolean {
  const metas = row.sample.inputs.map((spec) =>
    spec ? { shape: spec.shape, dtype: spec.dtype ?? "f32" } : null,
  );
  const { variants } = row.op;
  return (
    isHeld(engine, row.sample) &&
    (variants[variant]?.usable(metas, attrsOf(row), engine.caps) ?? false)
  );
}

/**
 * Runs the op and compares every output, or what it changes in place, with the float64 reference.
 * @throws Error naming the worst element.
 */
export async function checkForward(engine: Engine, row: Row, variant?: string): Promise<void> {
  const { op, oracle, sample } = row;
  const inputs = materialise(sample, SEED);
  const attrs = attrsOf(row);
  const expected = oracle.reference(inputs, attrs);
  const scales = oracle.scale?.(inputs, attrs) ?? expected;
  await engine.scope(async () => {
    const tensors = upload(engine, sample, inputs);
    const outputs = engine.run(op, tensors, attrs, variant);
    const results = op.mutates ? op.mutates.map((index) => at(tensors, index)) : outputs;
    for (const [k, want] of expected.entries()) {
      const result = at(results, k);
      if (!result || !sameShape(result.shape, want.shape))
        throw new Error(
          `output ${k} has shape ${show(result?.shape ?? [])}, the rule says ${show(want.shape)}`,
        );
      const got = result.dtype === "f16" ? await result.floats() : await result.data();
      const isHalf = result.dtype === "f16";
      const { ratio, line } = worst(got, want, at(scales, k), { ...oracle.tolerance, isHalf });
      if (!(ratio <= 1)) throw new Error(`output ${k}: ${line}`);
    }
  });
}

/** Random cotangents of the outputs, as f32 holds them. */
function drawCotangents(
  { op, oracle, sample }: Row,
  inputs: readonly (Array64 | null)[],
): Array64[] {
  const random = generator(SEED + 1);
  const outputs = oracle.reference(inputs, attrsOf({ op, sample })).slice(0, op.outputs.length);
  return outputs.map(({ shape, data }) =>
    array64(
      shape,
      data.map(() => Math.fround(random() * 2 - 1)),
    ),
  );
}

/** Gradients of Σ cotangent · output by the engine's tape. */
async function gradients(
  engine: Engine,
  row: Row,
  inputs: readonly (Array64 | null)[],
  { cotangents, floats }: { cotangents: readonly Array64[]; floats: readonly number[] },
): Promise<Float32Array[]> {
  return engine.scope(async () => {
    const { ops } = engine;
    const tensors = upload(engine, row.sample, inputs);
    const watched = floats.flatMap((index) => at(tensors, index) ?? []);
    const { grads } = valueAndGrad(engine, watched, () => {
      const results = engine
        .run(row.op, tensors, attrsOf(row))
        .map((result) => (result.dtype === "f16" ? ops.cast(result) : result));
      const terms = cotangents.map(({ data, shape }, k) =>
        ops.sum(ops.mul(at(results, k), engine.tensor(Float32Array.from(data), shape))),
      );
      return terms.reduce((a, b) => ops.add(a, b));
    });
    return Promise.all(grads.map((grad) => grad.floats()));
  });
}

/** Cotangents that are cast to f16 lose 2⁻¹² of themselves each, kept values of the forward too. */
const HALF_GRAD_TOLERANCE = 1e-3;

/**
 * Compares the gradient of every float input with central differences of the float64 reference.
 * @throws Error naming the input that is off.
 */
export async function checkGradient(engine: Engine, row: Row): Promise<void> {
  const { op, oracle, sample } = row;
  const inputs = materialise(sample, SEED);
  const attrs = attrsOf(row);
  const cotangents = drawCotangents(row, inputs);
  const floats = sample.inputs.flatMap((spec, index) =>
    spec && ["f32", "f16"].includes(spec.dtype ?? "f32") ? [index] : [],
  );
  const grads = await gradients(engine, row, inputs, { cotangents, floats });
  floats.forEach((which, k) => {
    const grad = at(grads, k);
    const along = directions(grad.length, SEED + 2);
    const wanted = differences(oracle, inputs, cotangents, attrs, { which, along });
    const got = along.map((d) => d.reduce((sum, value, n) => sum + value * at(grad, n), 0));
    const norm = Math.hypot(...wanted);
    const error = Math.hypot(...wanted.map((value, n) => value - at(got, n)));
    // Central differences of an O(1) objective carry about 1e-9 of rounding each.
    const relative = namesHalf(sample) ? HALF_GRAD_TOLERANCE : (oracle.gradTolerance ?? 1e-4);
    const allowed = relative * norm + 1e-6 * Math.sqrt(wanted.length);
    if (!(error <= allowed))
      throw new Error(`d${at(op.inputs, which)} is off by ${error} > ${allowed} (norm ${norm})`);
  });
}

/**
 * Runs a call that must be refused.
 * @throws Error if it is not, or says something else.
 */
export function checkThrows(
  engine: Engine,
  op: OpDef,
  sample: NonNullable<OpCases["errors"]>[number],
): void {
  const inputs = materialise(sample, SEED);
  engine.scope(() => {
    try {
      engine.run(op, upload(engine, sample, inputs), attrsOf({ op, sample }));
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (sample.throws.test(message)) return;
      throw new Error(`it says "${message}", not ${String(sample.throws)}`, { cause: error });
    }
    throw new Error(`it is not refused; expected ${String(sample.throws)}`);
  });
}
