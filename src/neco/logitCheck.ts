/** Whether logits in a file are those of the head that is given with it. */
import type { Engine } from "../engine/index.ts";
import { applyHead } from "./block.ts";
import type { Block, HeadTensors } from "./block.ts";

/** Logits this far from h·Wᵀ + b, relative to the largest, are not rounding. */
const DISAGREEMENT = 1e-3;

/** Compares a file's logits with h·Wᵀ + b, block by block. */
export class LogitCheck {
  private readonly engine: Engine;
  private readonly head: HeadTensors;
  private difference = 0;
  private largest = 0;

  constructor(engine: Engine, head: HeadTensors) {
    this.engine = engine;
    this.head = head;
  }

  /** Looks at a block; one without logits, or with the head's own, passes. */
  async add({ features, logits, isOfHead }: Block): Promise<void> {
    if (!logits || isOfHead) return;
    const { ops } = this.engine;
    const own = applyHead(this.engine, features, this.head);
    const difference = await ops.max(ops.abs(ops.sub(logits, own))).item();
    this.difference = Math.max(this.difference, difference);
    this.largest = Math.max(this.largest, await ops.max(ops.abs(logits)).item());
  }

  /** One warning if they differ by more than rounding, else none. */
  warnings(name: string): string[] {
    return this.difference > DISAGREEMENT * this.largest
      ? [
          `${name}: the file's logits differ from h·Wᵀ + b by up to ${this.difference.toPrecision(3)}; is this the head of the model that made them?`,
        ]
      : [];
  }
}
