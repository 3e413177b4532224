/** Rows of the detector's side: fitting a PCA, and scoring, at the size of ImageNet's test set. */
import { memoryFeatures } from "../../src/io/index.ts";
import type { FeatureSource, Head } from "../../src/io/index.ts";
import { MomentAccumulator, pca } from "../../src/linalg/index.ts";
import { chooseScores, fitScores, scoreSource } from "../../src/neco/index.ts";
import { at } from "../../src/util/shape.ts";
import { uniform } from "../workloads.ts";
import type { Row } from "./row.ts";

const ROWS = 50_000;
const DIM = 768;
const CLASSES = 1000;
const FIT_ROWS = 4096; // enough to fit the scores; fitting is not timed there
const BLOCK_ROWS = 4096;

/** Scores that need no look at the training rows one by one. */
const FAST_SCORES = ["msp", "maxlogit", "energy", "vim", "neco", "residual"];

/**
 * Features with a spectrum: class means of size 1, noise that falls off with the dimension as a
 * trained model's does. [rows, DIM]
 */
function madeFeatures(rows: number, seed: number): { features: Float32Array; labels: Int32Array } {
  const means = uniform(CLASSES * DIM, 3);
  const features = uniform(rows * DIM, seed);
  const labels = Int32Array.from({ length: rows }, (_, row) => (row * 7) % CLASSES);
  const spread = Float32Array.from({ length: DIM }, (_, j) => 1 / (1 + j / 32));
  for (let row = 0; row < rows; row++)
    for (let j = 0; j < DIM; j++) {
      const index = row * DIM + j;
      const noise = at(features, index) * at(spread, j);
      features[index] = noise + at(means, at(labels, row) * DIM + j) * at(spread, j);
    }
  return { features, labels };
}

/** A source of made features; labels only where a fit wants them. */
function madeSource(rows: number, seed: number): FeatureSource {
  return memoryFeatures("made", { ...madeFeatures(rows, seed), dim: DIM });
}

const head = (): Head => ({
  weight: uniform(CLASSES * DIM, 4, 1 / Math.sqrt(DIM)),
  bias: new Float32Array(CLASSES),
  classes: CLASSES,
  dim: DIM,
});

/** Rows to the GPU block by block, moments, eigenvectors: all that a PCA takes. */
const pcaRow: Row = {
  name: "pca-fit",
  shape: `[${ROWS}, ${DIM}]`,
  variant: "all components",
  kind: "workload",
  picked: true,
  prepare(engine) {
    const source = madeSource(ROWS, 1);
    let residual = NaN;
    return {
      run: () =>
        engine.scope(async () => {
          const moments = new MomentAccumulator(engine, DIM);
          for (let start = 0; start < ROWS; start += BLOCK_ROWS) {
            const rows = Math.min(BLOCK_ROWS, ROWS - start);
            const block = engine.tensor(await source.features(start, rows), [rows, DIM]);
            await moments.add(block);
            block.dispose();
          }
          ({ residual } = await pca(engine, moments.finish()));
        }),
      cost: () => ({ flops: 2 * ROWS * DIM * DIM, bytes: 0 }), // the Gram matrix alone
      facts: () => ({ residual }),
    };
  },
};

/** Every row scored by the fast methods, logits computed from the head on the way. */
const scoreRow: Row = {
  name: "scoring",
  shape: `[${ROWS}, ${DIM}] × [${CLASSES}, ${DIM}]`,
  variant: FAST_SCORES.join("+"),
  kind: "workload",
  picked: true,
  async prepare(engine) {
    const linear = head();
    const { fitted } = await fitScores({
      engine,
      train: madeSource(FIT_ROWS, 2),
      head: linear,
      scores: chooseScores(FAST_SCORES),
    });
    const source = madeSource(ROWS, 1);
    return {
      run: () => scoreSource({ engine, source, head: linear, fitted }),
      cost: () => ({ flops: 2 * ROWS * DIM * CLASSES, bytes: 0 }), // the logits alone
      facts: () => ({ scores: fitted.map(({ score }) => score.name) }),
    };
  },
};

/** PCA and scoring. */
export const necoRows: readonly Row[] = [pcaRow, scoreRow];
