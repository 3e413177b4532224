/** How far samples lie from the mean logits of a class, for OpenMax. */
import type { Engine, Tensor } from "../engine/index.ts";
import { at } from "../util/shape.ts";
import { arrayTensor, matrixArray, stateArray } from "./arrays.ts";
import type { Block } from "./block.ts";
import { addTo, groupSums } from "./groups.ts";
import { classRows, rowsOfLabels } from "./moments.ts";
import type { ClassMeans } from "./moments.ts";
import type { ScoreState } from "./score.ts";

/** Means by class, of the samples of a group: logits, and features while the logits are theirs. */
export class CentreSums {
  private readonly engine: Engine;
  private readonly train: ClassMeans;
  private logits = new Float64Array(); // [C · C]
  private offsets = new Float64Array(); // [C · D], of h − μ_y
  private counts = new Float64Array(); // [C]
  private isOfHead = true;

  /** @param train - means by true label: features are summed around them. */
  constructor(engine: Engine, train: ClassMeans) {
    this.engine = engine;
    this.train = train;
  }

  /** Adds a block; `own` is the class of each row, −1 for those left out. */
  async add(block: Block, own: Int32Array): Promise<void> {
    const { engine, train } = this;
    const classes = at(block.needLogits().shape, 1);
    if (this.counts.length === 0) {
      this.counts = new Float64Array(classes);
      this.logits = new Float64Array(classes * classes);
      this.offsets = new Float64Array(classes * train.dim);
    }
    for (const label of own) if (label >= 0) this.counts[label] = at(this.counts, label) + 1;
    addTo(this.logits, await groupSums(engine, block.needLogits(), own, classes));
    this.isOfHead &&= block.isOfHead;
    if (!this.isOfHead) return;
    const rows = rowsOfLabels(own, classRows(train.labels));
    const near = engine.tensor(
      rows.map((row) => Math.max(0, row)),
      [block.rows],
    );
    const centres = arrayTensor(engine, matrixArray(train.means, train.labels.length, train.dim));
    const offsets = engine.ops.sub(block.features, engine.ops.gather(centres, near)); // [B, D]
    addTo(this.offsets, await groupSums(engine, offsets, own, classes));
  }

  /** Arrays of a state that {@link LogitDistance} reads. */
  finish(): ScoreState["arrays"] {
    const { counts, train } = this;
    const classes = counts.length;
    const share = (sum: number, row: number): number => sum / Math.max(1, at(counts, row));
    const means = this.logits.map((sum, index) => share(sum, Math.floor(index / classes)));
    const arrays = { means: matrixArray(means, classes, classes) };
    if (!this.isOfHead) return arrays;
    const rows = classRows(train.labels);
    const both = new Float32Array(2 * classes * train.dim); // hi of all, then lo
    this.offsets.forEach((sum, index) => {
      const label = Math.floor(index / train.dim);
      const row = rows.get(label);
      const start = row === undefined ? 0 : at(train.means, row * train.dim + (index % train.dim));
      const exact = Math.fround(start) + share(sum, label);
      both[index] = exact;
      both[classes * train.dim + index] = exact - Math.fround(exact);
    });
    return { ...arrays, centres: { shape: [2 * classes, train.dim], values: both } };
  }
}

/**
 * ‖z − z̄_c‖. Where the logits are h·Wᵀ + b, as ‖W(h − h̄_c)‖: after a collapse samples differ from
 * their class's mean by less than f32 resolves of a logit.
 */
export class LogitDistance {
  private readonly engine: Engine;
  private readonly means: Tensor; // [C, C]
  private readonly centres: Tensor | null; // [2C, D]

  /** Uploads what {@link CentreSums} made. */
  constructor(engine: Engine, state: ScoreState) {
    const { centres } = state.arrays;
    this.engine = engine;
    this.means = arrayTensor(engine, stateArray(state, "means"));
    this.centres = centres ? arrayTensor(engine, centres) : null;
  }

  /** How many classes there are. */
  get classes(): number {
    return at(this.means.shape, 0);
  }

  /** From the given class of each row: [B]. */
  of(block: Block, classes: Int32Array): Tensor {
    const { ops } = this.engine;
    const offset = this.offset(block, classes); // [B, C]
    return ops.sqrt(ops.sum(ops.square(offset), { axes: [1] }));
  }

  private offset(block: Block, classes: Int32Array): Tensor {
    const { engine, means, centres } = this;
    const { ops } = engine;
    const rows = (shift: number): Tensor =>
      engine.tensor(
        classes.map((label) => label + shift),
        [block.rows],
      );
    if (!centres || !block.isOfHead) return ops.sub(block.needLogits(), ops.gather(means, rows(0)));
    const high = ops.sub(block.features, ops.gather(centres, rows(0)));
    const exact = ops.sub(high, ops.gather(centres, rows(this.classes))); // [B, D]
    return ops.matmul(exact, block.needHead().weight, null, { transposeB: true });
  }

  /** Gives the memory back. */
  dispose(): void {
    this.means.dispose();
    this.centres?.dispose();
  }
}
