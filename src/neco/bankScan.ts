/** Compares a block with a bank of training samples: each chunk's likenesses are made once for all scores. */
import type { Engine, Tensor } from "../engine/index.ts";
import { at } from "../util/shape.ts";
import { eachChunk, normalised } from "./bank.ts";
import type { Block } from "./block.ts";
import type { NamedArray } from "./score.ts";

/** A chunk of the bank beside a block. */
export interface Likenesses {
  /** Rows of length 1: [B, D] and [M, D]. */
  readonly query: Tensor;
  readonly bank: Tensor;
  /** Their cosines: [B, M]. */
  readonly cosines: Tensor;
  /** First row of the chunk in the bank; it has M rows. */
  readonly start: number;
  readonly end: number;
}

/** What a score makes of the likenesses; its tensors are freed as it goes, but for those returned. */
export interface Comparison {
  /** What it needs of a block beside the cosines, once. */
  readonly prepare?: (block: Block) => Tensor;
  /**
   * Takes a chunk in.
   * @param before - what this made of the chunks before; null at the first.
   * @param prepared - null unless there is a `prepare`.
   */
  readonly visit: (
    chunk: Likenesses,
    before: Tensor | null,
    prepared: Tensor | null,
  ) => Tensor | Promise<Tensor>;
  /** One number per row of the block, of what the last visit returned. */
  readonly finish: (last: Tensor) => Promise<Float64Array>;
}

type Results = ReadonlyMap<Comparison, Float64Array>;

/** The comparisons with one bank; a block is held against it once, however many take part. */
class BankScan {
  readonly members = new Set<Comparison>();
  private readonly engine: Engine;
  private readonly bank: NamedArray;
  private last: { readonly block: Block; readonly results: Results } | null = null;

  constructor(engine: Engine, bank: NamedArray) {
    this.engine = engine;
    this.bank = bank;
  }

  isOf(engine: Engine): boolean {
    return this.engine === engine;
  }

  async scores(block: Block, comparison: Comparison): Promise<Float64Array> {
    const known = this.last?.block === block ? this.last.results.get(comparison) : undefined;
    if (known) return known;
    const results = await this.engine.scope(() => this.scan(block));
    this.last = { block, results };
    return results.get(comparison) ?? new Float64Array();
  }

  private async scan(block: Block): Promise<Results> {
    const { engine, bank } = this;
    const members = [...this.members];
    const query = normalised(engine, block.features);
    const prepared = members.map(({ prepare }) => prepare?.(block) ?? null);
    const last = await eachChunk<readonly Tensor[]>(
      engine,
      [bank],
      block.rows,
      async ([chunk], before, start) => {
        if (!chunk) throw new RangeError("a bank chunk is missing");
        const cosines = engine.ops.matmul(query, chunk, null, { transposeB: true }); // [B, M]
        const seen = { query, bank: chunk, cosines, start, end: start + at(chunk.shape, 0) };
        const made: Tensor[] = [];
        for (const [index, { visit }] of members.entries()) {
          const [own, earlier] = [prepared[index] ?? null, before?.[index] ?? null];
          const now = await engine.scope(() => visit(seen, earlier, own));
          if (now !== earlier) earlier?.dispose();
          made.push(now);
        }
        return made;
      },
    );
    if (!last) throw new RangeError("the bank is empty");
    const results = new Map<Comparison, Float64Array>();
    for (const [index, member] of members.entries())
      results.set(member, await member.finish(at(last, index)));
    return results;
  }
}

const scans = new WeakMap<NamedArray, BankScan[]>();

/** A score's part in the comparisons with a bank. */
export interface BankSeat {
  /** What the comparison makes of a block. */
  scores(block: Block): Promise<Float64Array>;
  /** Takes no more part. */
  dispose(): void;
}

/** Joins those that compare blocks with this bank, rows h/‖h‖ of training features. */
export function joinScan(engine: Engine, bank: NamedArray, comparison: Comparison): BankSeat {
  const known = scans.get(bank) ?? [];
  scans.set(bank, known);
  const scan = known.find((one) => one.isOf(engine)) ?? new BankScan(engine, bank);
  if (!known.includes(scan)) known.push(scan);
  scan.members.add(comparison);
  return {
    scores: (block) => scan.scores(block, comparison),
    dispose: () => {
      scan.members.delete(comparison);
      if (scan.members.size === 0) known.splice(known.indexOf(scan), 1);
    },
  };
}
