/** Rows that a fit visits turn after turn: uploaded once where memory allows, and read back while the GPU works on. */
import type { Engine, Tensor } from "../engine/index.ts";

const MAX_KEPT_BYTES = 64 * 1024 ** 2;
const CHUNKS_AHEAD = 4; // queued while the results of earlier ones are read

/** Rows on the host. */
export interface Rows {
  readonly values: Float32Array; // [N, D]
  readonly count: number;
  readonly dim: number;
}

/** Rows start … end − 1. */
export const someRows = ({ values, dim }: Rows, start: number, end: number): Float32Array =>
  values.subarray(start * dim, end * dim);

/** What is queued of a chunk, and where the chunk lies. */
interface Pending {
  readonly start: number;
  readonly end: number;
  readonly results: Promise<Float32Array[]>;
}

/** Rows as chunks on the GPU. */
export class RowChunks {
  readonly rows: Rows;
  private readonly engine: Engine;
  private readonly step: number;
  private readonly kept: readonly Tensor[] | null;

  /**
   * @param step - rows of a chunk.
   * @param mostKept - bytes up to which the rows stay on the GPU.
   */
  constructor(engine: Engine, rows: Rows, step: number, mostKept = MAX_KEPT_BYTES) {
    this.engine = engine;
    this.rows = rows;
    this.step = step;
    const isSmall = rows.values.byteLength <= mostKept;
    this.kept = isSmall ? this.starts().map((start) => this.upload(start)) : null;
  }

  private starts(): number[] {
    const { step, rows } = this;
    return Array.from({ length: Math.ceil(rows.count / step) }, (_, chunk) => chunk * step);
  }

  private endOf(start: number): number {
    return Math.min(this.rows.count, start + this.step);
  }

  private upload(start: number): Tensor {
    const end = this.endOf(start);
    return this.engine.tensor(someRows(this.rows, start, end), [end - start, this.rows.dim]);
  }

  /**
   * Visits all chunks in order.
   * @param make - what is wanted of a chunk x [B, D]; tensors made by it are freed once they are read.
   * @param take - is given their values.
   */
  async each(
    make: (x: Tensor, start: number, end: number) => readonly Tensor[],
    take: (values: readonly Float32Array[], start: number, end: number) => void,
  ): Promise<void> {
    const queued: Pending[] = [];
    const takeFirst = async (): Promise<void> => {
      const first = queued.shift();
      if (first) take(await first.results, first.start, first.end);
    };
    try {
      for (const [chunk, start] of this.starts().entries()) {
        const end = this.endOf(start);
        // Copies to read from are queued at once, so the tensors may go before they are done.
        const reads = this.engine.scope(() =>
          make(this.kept?.[chunk] ?? this.upload(start), start, end).map((made) => made.floats()),
        );
        queued.push({ start, end, results: Promise.all(reads) });
        if (queued.length > CHUNKS_AHEAD) await takeFirst();
      }
      while (queued.length > 0) await takeFirst();
    } finally {
      await Promise.allSettled(queued.map(({ results }) => results)); // an error must leave none behind
    }
  }

  /** Gives the memory back. */
  dispose(): void {
    for (const chunk of this.kept ?? []) chunk.dispose();
  }
}
