/** Scores that look into the network against a float64 ViT; gradients against finite differences. */
import { afterAll, beforeAll, describe, test } from "vitest";
import { createEngine } from "../../src/engine/index.ts";
import type { Engine } from "../../src/engine/index.ts";
import { fitScores, ImageProgram, inputGradient, scoreSource } from "../../src/neco/index.ts";
import type { Score } from "../../src/neco/index.ts";
import { Block } from "../../src/neco/block.ts";
import { doubt, predictedMask } from "../../src/neco/inputGradient.ts";
import { at } from "../../src/util/shape.ts";
import { expectClose, IMAGE, TinyWorld, transform } from "./images.ts";
import type { ImageSet } from "./images.ts";
import { argmax64, slopes64, softmax64 } from "./vit64.ts";

let engine: Engine;
let world: TinyWorld;
let id: ImageSet;

beforeAll(async () => {
  engine = await createEngine();
  world = new TinyWorld(engine);
  ({ id } = world);
});
afterAll(() => {
  engine.destroy();
});

const crossEntropy = (x: readonly number[], label: number, temperature: number): number =>
  -Math.log(at(softmax64(world.oracle.forward(x).logits, temperature), label));

/** A block of the first rows of a set, as a pass over images makes it. */
function blockOf({ source, pixels, features }: ImageSet, rows: number): Block {
  const flat = Float32Array.from(features.slice(0, rows).flat());
  const images = (): Promise<Uint8Array> => Promise.resolve(pixels.slice(0, rows * IMAGE));
  return new Block(engine, engine.tensor(flat, [rows, source.dim]), null, { images });
}

describe("the network", () => {
  test("features and logits of images agree with float64", async () => {
    const program = new ImageProgram(engine, world.model, (x) => ({ ...world.model.forward(x) }));
    const { features, logits } = await program.run(blockOf(id, 7));
    expectClose(Float64Array.from(await features.floats()), id.features.flat(), 1e-5);
    expectClose(Float64Array.from(await logits.floats()), id.logits.flat(), 1e-5);
    program.dispose();
  });
  test("tokens of every block, and features of changed ones", async () => {
    const { model, oracle } = world;
    const program = new ImageProgram(engine, model, (x) => {
      const seen: Record<string, ReturnType<typeof model.input>> = {};
      const { features } = model.forward(x, (tokens, layer) => {
        seen[`layer${layer}`] = tokens;
        return engine.ops.affine(tokens, { scale: 1, shift: 0.1 * layer });
      });
      return { ...seen, features };
    });
    const got: Record<string, { floats(): Promise<Float32Array> }> = await program.run(
      blockOf(id, 3),
    );
    const want: Record<string, number[]> = { layer0: [], layer1: [], layer2: [], features: [] };
    for (const x of id.xs.slice(0, 3)) {
      const { features } = oracle.forward(x, (tokens, layer) => {
        want[`layer${layer}`]!.push(...tokens.flat());
        return tokens.map((row) => row.map((v) => v + 0.1 * layer));
      });
      want["features"]!.push(...features);
    }
    for (const [name, values] of Object.entries(want))
      expectClose(Float64Array.from(await got[name]!.floats()), values, 1e-5);
    program.dispose();
  });
  test.each([1, 1000])(
    "the input gradient at temperature %d is that of finite differences",
    async (t) => {
      const { model } = world;
      const program = new ImageProgram(engine, model, (x) => {
        const isPredicted = predictedMask(engine, model.forward(x).logits);
        return {
          gradient: inputGradient(engine, x, () => ({
            objective: doubt(engine, model.forward(x).logits, isPredicted, t),
          })).gradient,
        };
      });
      const { gradient } = await program.run(blockOf(id, 5));
      const want = id.xs.slice(0, 5).flatMap((x, k) => {
        const label = argmax64(at(id.logits, k));
        // log(others / own) = log(e^CE − 1)
        return slopes64(x, (y) => Math.log(Math.expm1(crossEntropy(y, label, t))));
      });
      expectClose(Float64Array.from(await gradient.floats()), want, 1e-4);
      program.dispose();
    },
  );
});

describe("odin", () => {
  const grid = [
    [1000, 0.0014],
    [1, 0.0028],
    [10, 0],
  ] as const;
  const stepped = (x: readonly number[], slopes: readonly number[], noise: number, only: number) =>
    x.map((value, k) =>
      only >= 0 && k !== only
        ? value
        : value - (noise * (at(slopes, k) >= 0 ? 1 : -1)) / at(transform.std, k % 3),
    );
  describe.each(grid)("at temperature %d with noise %d", (temperature, noise) => {
    test.each(["odin", "iodin"])("%s", async (method) => {
      const want = id.xs.map((x, k) => {
        const label = argmax64(at(id.logits, k));
        const slopes = slopes64(x, (y) => crossEntropy(y, label, temperature));
        const steepest = method === "iodin" ? argmax64(slopes.map(Math.abs)) : -1;
        const { logits } = world.oracle.forward(stepped(x, slopes, noise, steepest));
        return Math.log(Math.max(...softmax64(logits, temperature)));
      });
      expectClose(await world.scoresOf(method, { temperature, noise }), want, 5e-6);
    });
  });
});

test("a score of one's own, as docs/methods.md shows it", async () => {
  const { model, head, train } = world;
  const slope: Score = {
    ...{ name: "slope", aliases: [], title: "Slope of the largest logit", needs: ["images"] },
    fit: () => Promise.resolve({ arrays: {}, params: {}, warnings: [] }),
    bind(_engine, _state, network) {
      const { ops } = engine;
      const program = new ImageProgram(engine, network!, (x) => {
        const { gradient } = inputGradient(engine, x, () => ({
          objective: ops.max(network!.forward(x).logits, { axes: [1] }),
        }));
        return { size: ops.sum(ops.abs(gradient), { axes: [1, 2, 3] }) };
      });
      return {
        score: async (block) => Float64Array.from(await (await program.run(block)).size.floats()),
        dispose: () => {
          program.dispose();
        },
      };
    },
  };
  const { fitted } = await fitScores({
    ...{ engine, model, head, train: train.source, scores: [slope] },
  });
  const { scores } = await scoreSource({ engine, model, head, source: id.source, fitted });
  const want = id.xs.map((x) =>
    slopes64(x, (y) => Math.max(...world.oracle.forward(y).logits)).reduce(
      (sum, value) => sum + Math.abs(value),
      0,
    ),
  );
  expectClose(scores.get("slope")!, want, 1e-5);
});
