/** The inputs of every work, the same for every engine. */
import { matricesOf } from "./decompositions.ts";
import { sizeOf } from "../../src/util/shape.ts";
import type { Shape } from "../../src/util/shape.ts";
import type { ViTConfig } from "../../src/vit/index.ts";
import { uniform, workloadBatch, workloadParams } from "../workloads.ts";
import type { HostInput, Work } from "./works.ts";

const data = (shape: Shape, seed: number, scale = 1): HostInput => ({
  shape,
  values: uniform(sizeOf(shape), seed, scale),
  weight: false,
});

const WIDE = 4; // softmax and GELU are flat within ±1

/** The inputs by name, the same for every engine. */
export function inputsOf(work: Work): Record<string, HostInput> {
  switch (work.kind) {
    case "matmul":
      return { a: data([work.size, work.size], 1), b: data([work.size, work.size], 2) };
    case "attention": {
      const shape = [work.heads, work.tokens, work.headSize];
      return { q: data(shape, 1), k: data(shape, 2), v: data(shape, 3) };
    }
    case "softmax":
    case "gelu":
      return { x: data([work.rows, work.cols], 1, WIDE) };
    case "layernorm":
      return {
        x: data([work.rows, work.cols], 1),
        weight: { ...data([work.cols], 2), weight: true },
        bias: { ...data([work.cols], 3), weight: true },
      };
    case "vit":
    case "train":
      return vitInputs(work);
    case "eigh":
      return { a: symmetric(work.size) };
    case "decompose":
      return Object.fromEntries(
        Object.entries(matricesOf(work)).map(([name, matrix]) => [
          name,
          { ...matrix, weight: false },
        ]),
      );
    default:
      return work satisfies never;
  }
}

function vitInputs({
  config,
  batch,
}: {
  config: ViTConfig;
  batch: number;
}): Record<string, HostInput> {
  const { patches, shape, labels } = workloadBatch(config, batch);
  const weights = workloadParams(config).map(({ name, shape, values }) => [
    name,
    { shape, values, weight: true },
  ]);
  return {
    ...(Object.fromEntries(weights) as Record<string, HostInput>),
    patches: { shape, values: patches, weight: false },
    labels: { shape: [batch], values: labels, weight: false },
  };
}

/** Uniform random, symmetric: [D, D]. */
function symmetric(size: number): HostInput {
  const { shape, values, weight } = data([size, size], 1);
  const mirrored = values.map((value, index) => {
    const row = Math.floor(index / size);
    const column = index % size;
    return column > row ? (values[column * size + row] ?? Number.NaN) : value;
  });
  return { shape, values: mirrored, weight };
}
