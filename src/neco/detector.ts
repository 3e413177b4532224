/** Judges samples with one fitted score and a threshold: in distribution or not. Saved as one file. */
import { readBytes, writeAtomic } from "#platform";
import { createEngine } from "../engine/index.ts";
import type { Engine } from "../engine/index.ts";
import { memoryFeatures } from "../io/index.ts";
import type { FeatureSource, Head } from "../io/index.ts";
import { UsageError } from "../util/errors.ts";
import { at } from "../util/shape.ts";
import { eachBlock, headTensors } from "./block.ts";
import type { Block, HeadTensors } from "./block.ts";
import { assertSource } from "./checkSets.ts";
import { detectorBytes, parseDetector } from "./detectorFile.ts";
import type { DetectorSpec, Json } from "./detectorFile.ts";
import { download } from "./download.ts";
import type { DownloadOptions } from "./download.ts";
import type { FittedScore } from "./fit.ts";
import { blindness } from "./imageModel.ts";
import type { ImageModel } from "./imageModel.ts";
import { rank, thresholdAtRecall } from "./metrics/index.ts";
import { findScore, scores as builtIn } from "./registry.ts";
import { needsImages } from "./score.ts";
import type { NamedArray, Score, Scorer } from "./score.ts";
import { scoreSource } from "./scoreSource.ts";

/** What a detector says about one sample. */
export interface Judgement {
  /** Name of the most probable class (its number where names are unknown); null without logits. */
  readonly label: string | null;
  readonly labelIndex: number | null;
  /** Softmax of the logits; empty without logits. */
  readonly probs: Float32Array;
  /** Higher = more in-distribution. */
  readonly score: number;
  readonly threshold: number;
  readonly isOod: boolean;
}

/** Makes features, and logits unless the detector's head does, of inputs such as images. */
export interface FeatureModel<Input> {
  run(inputs: readonly Input[]): Promise<{
    readonly features: Float32Array; // [n, D]
    readonly logits: Float32Array | null; // [n, C]
    /** For scores that look into the network: u8 [count, H, W, channels] of rows of the inputs. */
    readonly images?: FeatureSource["images"];
  }>;
}

/** What {@link createDetector} takes. */
export interface DetectorInput {
  readonly engine: Engine;
  readonly fitted: FittedScore;
  /** ID samples that neither the model nor the score was fitted on. */
  readonly validation: FeatureSource;
  readonly head: Head | null;
  /** Share of ID validation samples to keep; default 0.95. */
  readonly recall?: number;
  readonly classes?: readonly string[];
  readonly preprocessing?: Json;
  readonly model?: Json;
  readonly modelArrays?: Readonly<Record<string, NamedArray>>;
  /** The network at work, for a score that needs images. */
  readonly network?: ImageModel | null;
}

/** How {@link Detector.load} reads. */
export interface DetectorLoadOptions extends DownloadOptions {
  /** The engine to run on; default: a new one on the best adapter. */
  readonly engine?: Engine;
  /** Scores to look the method up in; default the built-in ones. */
  readonly scores?: readonly Score[];
}

/** What a detector stands on beside its file. */
export interface DetectorParts {
  /** Scores to look the method up in; default the built-in ones. */
  readonly scores?: readonly Score[] | undefined;
  /** For scores that look into the network; without it they load but do not judge. */
  readonly network?: ImageModel | null;
}

const RECALL = 0.95;

/** A fitted score, its threshold and the head, on one engine. */
export class Detector {
  readonly spec: DetectorSpec;
  private readonly engine: Engine;
  private readonly score: Score;
  private readonly network: ImageModel | null;
  private readonly scorer: Scorer | null;
  private readonly head: HeadTensors | null;

  /** Use {@link createDetector} or {@link Detector.load}. */
  constructor(
    engine: Engine,
    spec: DetectorSpec,
    { scores = builtIn, network = null }: DetectorParts = {},
  ) {
    this.spec = spec;
    this.engine = engine;
    this.score = findScore(spec.method, scores);
    this.network = needsImages(this.score) ? network : null;
    const isBlind = needsImages(this.score) && network === null;
    this.scorer = isBlind ? null : this.score.bind(engine, spec.state, network);
    this.head = spec.head ? headTensors(engine, spec.head) : null;
  }

  /**
   * Loads a saved detector from a path, a URL or bytes.
   * @throws FormatError if it is no detector file.
   * @throws DataError if it cannot be read.
   */
  static async load(
    source: string | Uint8Array,
    options: DetectorLoadOptions = {},
  ): Promise<Detector> {
    const isUrl = typeof source === "string" && /^https?:|^blob:/.test(source);
    const bytes =
      typeof source !== "string"
        ? source
        : isUrl
          ? await download(source, options)
          : await readBytes(source);
    const spec = await parseDetector(bytes, typeof source === "string" ? source : "detector");
    const { scores, engine = await createEngine() } = options;
    return new Detector(engine, spec, { scores });
  }

  /** The file's bytes. */
  toBytes(): Promise<Uint8Array> {
    return detectorBytes(this.spec);
  }

  /**
   * Writes the file, whole or not at all.
   * @throws DataError if it cannot be written.
   */
  async save(path: string): Promise<void> {
    await writeAtomic(path, await this.toBytes());
  }

  /**
   * Judges every row of a source.
   * @throws DataError if the features have another number of columns, or hold NaN or Inf.
   * @throws UsageError if the score looks into the network, which is not at hand.
   */
  async judge(source: FeatureSource): Promise<Judgement[]> {
    const judgements: Judgement[] = [];
    await this.judgeEach(source, (part) => {
      judgements.push(...part); // a block's rows at most, so the arguments are few
    });
    return judgements;
  }

  /**
   * Judges every row of a source and hands the judgements over block by block, in order, so that a
   * source of any size takes the memory of one block.
   * @param visit - takes the judgements of the rows from `start` on; what it returns is awaited
   * @throws DataError if the features or logits have another number of columns, or hold NaN or Inf.
   * @throws UsageError if the score looks into the network, which is not at hand.
   */
  async judgeEach(
    source: FeatureSource,
    visit: (judgements: readonly Judgement[], start: number) => void | Promise<void>,
  ): Promise<void> {
    const { scorer, head } = this;
    assertSource(source, this.spec);
    if (!scorer || (this.network && !source.images))
      throw new UsageError(blindness(this.spec.method));
    let start = 0;
    await eachBlock(this.engine, source, { head, batch: this.network?.batch }, async (block) => {
      await visit(await this.judgeBlock(scorer, block), start);
      start += block.rows;
    });
  }

  /**
   * Judges inputs, such as images, through the model that makes their features.
   * @throws UsageError if there are no inputs.
   */
  async detect<Input>(model: FeatureModel<Input>, inputs: readonly Input[]): Promise<Judgement[]> {
    if (inputs.length === 0) throw new UsageError("nothing to detect: pass at least one input");
    const made = await model.run(inputs);
    return this.judge(memoryFeatures("inputs", { ...made, dim: this.spec.dim }));
  }

  private async judgeBlock(scorer: Scorer, block: Block): Promise<Judgement[]> {
    const scores = await scorer.score(block);
    const { logits } = block;
    const probs = logits ? await this.engine.ops.softmax(logits).floats() : new Float32Array();
    const predicted = logits ? (await block.logitStats()).predicted : null;
    const classes = logits ? at(logits.shape, 1) : 0;
    const { threshold, classes: names } = this.spec;
    return Array.from(scores, (score, row) => {
      const labelIndex = predicted ? at(predicted, row) : null;
      return {
        label: labelIndex === null ? null : (names[labelIndex] ?? String(labelIndex)),
        labelIndex,
        probs: probs.slice(row * classes, (row + 1) * classes),
        score,
        threshold,
        isOod: score < threshold,
      };
    });
  }

  /** Gives the memory back; the engine stays. */
  dispose(): void {
    this.scorer?.dispose();
    this.head?.weight.dispose();
    this.head?.bias?.dispose();
  }
}

/**
 * Makes a detector of a fitted score: the threshold keeps ⌊recall · n⌋ of the ID validation samples.
 * @throws DataError if the validation set is empty or unusable.
 * @throws UsageError if the recall is not in (0, 1].
 */
export async function createDetector(input: DetectorInput): Promise<Detector> {
  const { engine, fitted, validation, head, recall = RECALL } = input;
  if (!(recall > 0 && recall <= 1))
    throw new UsageError(`the recall must be in (0, 1]; got ${recall}`);
  const { network: model = null } = input;
  const pass = { engine, source: validation, head, fitted: [fitted], model };
  const { scores } = await scoreSource(pass);
  const values = scores.get(fitted.score.name) ?? new Float64Array();
  const spec: DetectorSpec = {
    method: fitted.score.name,
    state: fitted.state,
    threshold: thresholdAtRecall(rank(values, values).id, recall),
    recall,
    validationCount: values.length,
    dim: validation.dim,
    head,
    classes: input.classes ?? [],
    preprocessing: input.preprocessing ?? null,
    model: input.model ?? null,
    modelArrays: input.modelArrays ?? {},
  };
  return new Detector(engine, spec, { scores: [fitted.score], network: model });
}
