/** Ops, their gradients and three optimizer steps against PyTorch's own answers. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import goldens from "../golden/ops.json" with { type: "json" };
import { createEngine, valueAndGrad } from "../../src/engine/index.ts";
import type { Engine, Tensor } from "../../src/engine/index.ts";

interface Golden {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  engine.destroy();
});

const upload = ({ shape, data }: Golden): Tensor => engine.tensor(Float32Array.from(data), shape);
const scalar = (value: number): Tensor => engine.tensor(Float32Array.of(value));

/** ‖Δ‖ / ‖wanted‖: rounding alone gives some 1e-7. */
async function distance(got: Tensor, { shape, data }: Golden): Promise<number> {
  expect(got.shape).toEqual([...shape]);
  const values = await got.floats();
  const norm = Math.hypot(...data);
  return Math.hypot(...data.map((value, index) => value - (values[index] ?? NaN))) / norm;
}

const TOLERANCE = 2e-6;

interface Check {
  readonly inputs: readonly Golden[];
  readonly run: (inputs: readonly Tensor[]) => Tensor;
  readonly y: Golden;
  readonly g?: Golden;
  readonly grads: readonly Golden[];
}

/** Compares the output, and the gradients under the cotangent g (1 for a scalar). */
async function check({ inputs, run, y, g, grads }: Check): Promise<void> {
  await engine.scope(async () => {
    const tensors = inputs.map(upload);
    expect(await distance(run(tensors), y)).toBeLessThan(TOLERANCE);
    const { ops } = engine;
    const result = valueAndGrad(engine, tensors, () => {
      const output = run(tensors);
      return g ? ops.sum(ops.mul(output, upload(g))) : output;
    });
    for (const [index, wanted] of grads.entries()) {
      const grad = result.grads[index];
      expect(grad && (await distance(grad, wanted)), `gradient ${index}`).toBeLessThan(TOLERANCE);
    }
  });
}

describe("against PyTorch", () => {
  it("layernorm", async () => {
    const { x, weight, bias, y, g, dx, dweight, dbias } = goldens.layernorm;
    await check({
      inputs: [x, weight, bias],
      run: ([a, b, c]) => engine.ops.layernorm(given(a), given(b), given(c)),
      y,
      g,
      grads: [dx, dweight, dbias],
    });
  });

  it("gelu", async () => {
    const { x, y, g, dx } = goldens.gelu;
    await check({ inputs: [x], run: ([a]) => engine.ops.gelu(given(a)), y, g, grads: [dx] });
  });

  it.each(["crossEntropy", "crossEntropySmoothed"] as const)("%s", async (name) => {
    const { logits, labels, y, dlogits, labelSmoothing } = goldens[name];
    const rows = labels.data.length;
    await check({
      inputs: [logits],
      run: ([z]) => {
        const classes = engine.tensor(Int32Array.from(labels.data));
        const validRows = engine.tensor(Uint32Array.of(rows));
        return engine.ops.crossEntropy(given(z), classes, validRows, { labelSmoothing });
      },
      y,
      grads: [dlogits],
    });
  });

  it("attention", async () => {
    const { qkv, y, g, dqkv, heads } = goldens.attention;
    const run = ([a]: readonly Tensor[]): Tensor => engine.ops.attention(given(a), null, { heads });
    await check({ inputs: [qkv], run, y, g, grads: [dqkv] });
  });
});

function given(tensor: Tensor | undefined): Tensor {
  if (!tensor) throw new RangeError("an input is missing");
  return tensor;
}

interface Steps {
  readonly param: Golden;
  readonly grads: Golden;
  readonly after: Golden;
  readonly maxNorm: number;
}

/** Three clipped steps; `update` runs the optimizer on the parameters. */
async function checkSteps(
  { param, grads, after, maxNorm }: Steps,
  update: (param: Tensor, grad: Tensor, gradScale: Tensor, step: number) => void,
): Promise<void> {
  await engine.scope(async () => {
    const current = upload(param);
    const size = param.data.length;
    for (let step = 0; step < 3; step++) {
      const rows = [step * size, (step + 1) * size] as const;
      const grad = upload({ shape: [size], data: grads.data.slice(...rows) });
      const gradScale = engine.ops.clipScale(engine.ops.squaredNorm(grad), { maxNorm });
      update(current, grad, gradScale, step + 1);
      const wanted = { shape: [size], data: after.data.slice(...rows) };
      expect(await distance(current, wanted), `step ${step + 1}`).toBeLessThan(TOLERANCE);
    }
  });
}

describe("optimizer steps against PyTorch", () => {
  it.each([
    ["sgd", false],
    ["sgdNesterov", true],
  ] as const)("%s", async (name, nesterov) => {
    const golden = goldens[name];
    const velocity = engine.zeros(golden.param.shape);
    await checkSteps(golden, (param, grad, gradScale) => {
      engine.ops.sgdMomentum(param, grad, velocity, scalar(golden.learningRate), gradScale, null, {
        momentum: 0.9,
        weightDecay: golden.weightDecay,
        nesterov,
      });
    });
  });

  it("adamw", async () => {
    const golden = goldens.adamw;
    const m = engine.zeros(golden.param.shape);
    const v = engine.zeros(golden.param.shape);
    await checkSteps(golden, (param, grad, gradScale, step) => {
      const learningRate = scalar(golden.learningRate);
      engine.ops.adamw(param, grad, m, v, learningRate, scalar(step), gradScale, null, {
        weightDecay: golden.weightDecay,
      });
    });
  });
});
