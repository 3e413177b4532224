/** Our decompositions, through the public API. */
import type { Engine, Tensor } from "../../../src/engine/index.ts";
import {
  MomentAccumulator,
  cholesky,
  eigh,
  lstsq,
  pca,
  pinvh,
  qr,
  randomisedSvd,
  svd,
} from "../../../src/linalg/index.ts";
import type { Svd } from "../../../src/linalg/index.ts";
import type { Outputs } from "../check.ts";
import { RANDOMISED } from "../decompositions.ts";
import { floats, given } from "../engine.ts";
import type { Inputs, Prepared } from "../engine.ts";
import type { Work } from "../works.ts";

type Solved = Extract<Work, { kind: "eigh" | "decompose" }>;

/** What a run leaves: tensors, and values on the host. */
type Parts = Readonly<Record<string, Tensor | Float64Array>>;

type Solve = (engine: Engine, a: Tensor, b: Tensor) => Promise<Parts>;

const parts = ({ u, values, v }: Svd): Parts => ({ u, values, v });

async function principal(engine: Engine, a: Tensor): Promise<Parts> {
  const moments = new MomentAccumulator(engine, a.shape[1] ?? 0);
  await moments.add(a);
  const { components, explainedVariance } = await pca(engine, moments.finish());
  return { v: components, values: explainedVariance };
}

const solves: Readonly<Record<string, Solve>> = {
  async eigh(engine, a) {
    const { values, vectors } = await eigh(engine, a);
    return { values, vectors };
  },
  svd: async (engine, a) => parts(await svd(engine, a)),
  randomised: async (engine, a) => parts(await randomisedSvd(engine, a, RANDOMISED)),
  async qr(engine, a) {
    const { q, r } = await qr(engine, a);
    return { q, r };
  },
  cholesky: async (engine, a) => ({ l: await cholesky(engine, a) }),
  lstsq: async (engine, a, b) => ({ x: (await lstsq(engine, a, b)).x }),
  pinvh: async (engine, a) => ({ x: (await pinvh(engine, a)).inverse }),
  pca: principal,
};

/** Matrices lie on the GPU before a run; values that methods hand to the host are read in it. */
export function decomposes(engine: Engine, work: Solved, inputs: Inputs): Prepared {
  const solve = solves[work.kind === "eigh" ? "eigh" : work.what];
  if (!solve) throw new TypeError(`${work.name} has no method`);
  const upload = (name: string): Tensor =>
    engine.tensor(floats(inputs, name), given(inputs, name).shape);
  const a = upload("a");
  const b = "b" in inputs ? upload("b") : a;
  return {
    async run(repeats) {
      for (let k = 0; k < repeats; k++)
        await engine.scope(async () => {
          await solve(engine, a, b);
        });
      await engine.finish();
    },
    async result() {
      const outputs: Record<string, Float32Array> = {};
      for (const [name, part] of Object.entries(await solve(engine, a, b)))
        outputs[name] =
          part instanceof Float64Array ? Float32Array.from(part) : await part.floats();
      return outputs satisfies Outputs;
    },
  };
}
