/** Streams a feature source through the GPU in blocks; nothing here ever holds N × D. */
import type { Engine, Tensor } from "../engine/index.ts";
import type { FeatureSource, Head } from "../io/index.ts";
import { DataError, InterruptedError } from "../util/errors.ts";
import { at } from "../util/shape.ts";
import { logSumExp, readLogitStats } from "./logits.ts";
import type { LogitStats } from "./logits.ts";
import { ALONE, peersOf } from "./peers.ts";
import type { PeerLogits } from "./peers.ts";
import { freeRows, readRows } from "./readRows.ts";
import type { Rows } from "./readRows.ts";

const MAX_BLOCK_BYTES = 32 * 1024 ** 2; // design.md: statistics stream blocks of at most 32 MiB
const MAX_BLOCK_ROWS = 1024; // f32 partial sums stay accurate, and temporaries of C columns small

/** The head as tensors, made once per run. */
export interface HeadTensors {
  readonly weight: Tensor; // [C, D]
  readonly bias: Tensor | null; // [C]
  readonly classes: number;
}

/** What a block may bring beside its tensors. */
export interface BlockExtras {
  readonly labels?: Int32Array | null; // [B]
  readonly head?: HeadTensors | null;
  /** True if the logits are the features' under the head, and not a file's. */
  readonly isOfHead?: boolean;
  /** The features as they came, where they are at hand. */
  readonly host?: Float32Array | null; // [B · D]
  /** Reads the images that the rows are, u8 [B, H, W, channels]. */
  readonly images?: (() => Promise<Uint8Array>) | null;
  /** Reads the logits of further models. */
  readonly peers?: PeerLogits | null;
}

/** Rows on the GPU, with what several scores need of them computed once. */
export class Block {
  readonly rows: number;
  readonly features: Tensor; // [B, D]
  readonly logits: Tensor | null; // [B, C]
  readonly labels: Int32Array | null; // [B]
  /** True if the logits are h·Wᵀ + b. */
  readonly isOfHead: boolean;
  private readonly engine: Engine;
  private readonly head: HeadTensors | null;
  private readonly host: Float32Array | null;
  private readonly images: (() => Promise<Uint8Array>) | null;
  private readonly peers: PeerLogits | null;
  private stats: Promise<LogitStats> | null = null;

  /** The tensors belong to the scope that the block is visited in. */
  constructor(
    engine: Engine,
    features: Tensor,
    logits: Tensor | null,
    {
      labels = null,
      head = null,
      isOfHead = false,
      host = null,
      images = null,
      peers = null,
    }: BlockExtras = {},
  ) {
    this.engine = engine;
    this.rows = at(features.shape, 0);
    this.features = features;
    this.logits = logits;
    this.labels = labels;
    this.isOfHead = isOfHead;
    this.head = head;
    this.host = host;
    this.images = images;
    this.peers = peers;
  }

  /**
   * Largest logit and the like, read once however many scores ask.
   * @throws DataError if there are no logits.
   */
  logitStats(): Promise<LogitStats> {
    this.stats ??= readLogitStats(this.engine, this.needLogits());
    return this.stats;
  }

  /**
   * The logits of a score that cannot do without.
   * @throws DataError if there are none.
   */
  needLogits(): Tensor {
    if (!this.logits)
      throw new DataError("this score needs logits: pass them in the feature file, or a head");
    return this.logits;
  }

  /**
   * The head of a score that cannot do without.
   * @throws DataError if there is none.
   */
  needHead(): HeadTensors {
    if (!this.head) throw new DataError("this score needs the head W (and b): pass it along");
    return this.head;
  }

  /** log Σ exp(W h + b) of other features in place of the block's, [B, D]. */
  async energyOf(features: Tensor): Promise<Float64Array> {
    const logits = applyHead(this.engine, features, this.needHead());
    return logSumExp(await readLogitStats(this.engine, logits));
  }

  /**
   * The images of a score that cannot do without, u8 [B, H, W, channels].
   * @throws DataError if there are none.
   */
  pixels(): Promise<Uint8Array> {
    if (!this.images)
      throw new DataError("this score needs images: features alone do not tell them");
    return this.images();
  }

  /**
   * The logits of further models, M × [B, C], for a score that cannot do without.
   * @throws DataError if there are none, or they do not go with the block's own.
   */
  async needPeers(): Promise<Tensor[]> {
    if (!this.peers) throw new DataError(`this score ${ALONE}`);
    const { shape } = this.needLogits();
    const all = await this.peers(at(shape, 1));
    return all.map((values) => this.engine.tensor(values, shape));
  }

  /** The features on the host; read back only where they did not come from there. */
  async hostFeatures(): Promise<Float32Array> {
    return this.host ?? this.features.floats();
  }
}

/** How a pass over a source runs. */
export interface PassOptions {
  /** Computes logits where the source has none. */
  readonly head?: HeadTensors | null;
  /** Features only: logits are neither read nor computed. */
  readonly featuresOnly?: boolean;
  /** Rows of a block at most; fewer where images are looked at. */
  readonly batch?: number | undefined;
  /** Called after each block with the rows done. */
  readonly onRows?: ((done: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Uploads a head. */
export const headTensors = (engine: Engine, { weight, bias, classes, dim }: Head): HeadTensors => ({
  weight: engine.tensor(weight, [classes, dim]),
  bias: bias ? engine.tensor(bias, [classes]) : null,
  classes,
});

/** h·Wᵀ + b: [B, C]. */
export const applyHead = (engine: Engine, features: Tensor, head: HeadTensors): Tensor =>
  engine.ops.matmul(features, head.weight, head.bias, { transposeB: true });

/**
 * Rows of a block: at most 32 MiB, whether of features or of logits, in the fewest blocks, as equal as
 * can be: a short last one would need buffers of other sizes, which the pool keeps beside those of the first.
 */
function rowsOfBlock({ dim, rows, classes }: FeatureSource, { batch, head }: PassOptions): number {
  const widest = Math.max(dim, classes ?? 0, head?.classes ?? 0, 1);
  const most = Math.max(1, Math.min(MAX_BLOCK_ROWS, Math.floor(MAX_BLOCK_BYTES / (4 * widest))));
  if (batch !== undefined) return Math.min(most, batch);
  return Math.max(1, Math.ceil(rows / Math.ceil(rows / most)));
}

/**
 * Visits every row of a source once, in order. Tensors made by `visit` are freed after it. The next
 * block is read, checked and uploaded while the GPU works on one, so two are held at a time.
 * @throws DataError if a feature or logit is NaN or infinite: how many, and where the first is.
 * @throws InterruptedError if the signal fires.
 */
export async function eachBlock(
  engine: Engine,
  source: FeatureSource,
  options: PassOptions,
  visit: (block: Block) => Promise<void>,
): Promise<void> {
  const { rows: total } = source;
  const { featuresOnly = false, signal } = options;
  const step = rowsOfBlock(source, options);
  const read = (start: number): Promise<Rows> | null => {
    const wanted = { start, count: Math.min(step, total - start), withLogits: !featuresOnly };
    return start < total ? readRows(engine, source, wanted) : null;
  };
  let next = read(0);
  try {
    for (let start = 0; next; start += step) {
      if (signal?.aborted) throw new InterruptedError(`stopped while reading ${source.name}`);
      const rows = await next;
      try {
        // What `visit` queues before its first wait is with the GPU when the next rows are read.
        const visiting = engine.scope(() =>
          visit(blockOf(engine, source, rows, { ...options, start })),
        );
        next = read(start + step);
        next?.catch(() => undefined); // thrown when its turn comes
        await visiting;
      } finally {
        freeRows(rows);
      }
      options.onRows?.(Math.min(start + step, total));
    }
  } finally {
    await next?.then(freeRows, () => undefined);
  }
}

/** Rows as a block, with logits from the head where the source has none. */
function blockOf(
  engine: Engine,
  source: FeatureSource,
  { features, logits, host }: Rows,
  { start, head = null, featuresOnly = false }: PassOptions & { readonly start: number },
): Block {
  const count = at(features.shape, 0);
  const made = !logits && head && !featuresOnly ? applyHead(engine, features, head) : null;
  return new Block(engine, features, logits ?? made, {
    labels: source.labels?.subarray(start, start + count) ?? null,
    head,
    isOfHead: made !== null,
    host,
    images: source.images ? imagesOf(source.images, start, count) : null,
    peers: peersOf(source, start, count),
  });
}

/** Reads images when they are asked for, once. */
function imagesOf(
  read: NonNullable<FeatureSource["images"]>,
  start: number,
  count: number,
): () => Promise<Uint8Array> {
  let images: Promise<Uint8Array> | null = null;
  return () => (images ??= read(start, count));
}
