/** What a report is made of: the JSON files of a run folder, typed, and nothing that needs a GPU. */
import type { NcJson } from "./collapse-input.ts";
import type { Distributions } from "./scoreCounts.ts";

/** Any value that JSON can hold. */
export type Json =
  string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** A JSON object. */
export type JsonRecord = Readonly<Record<string, Json>>;

/** The adapter that a run used; `kind` other than "gpu" is a software adapter. */
export interface AdapterFacts {
  readonly description: string;
  readonly kind: string;
}

/** What a report says about a data set: enough to credit it and to find the same bytes again. */
export interface DatasetFacts {
  /** What it is loaded by: a name, some of its classes, or a path. */
  readonly spec: string;
  readonly name: string;
  readonly title: string;
  readonly credit: string;
  readonly hash: string;
  readonly classes: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
}

/** `config.json` of a run folder. */
export interface RunConfig {
  readonly schema: "neco-webgpu/run@1";
  readonly version: string;
  readonly created: string;
  readonly adapter: AdapterFacts;
  readonly versions: Readonly<Record<string, string>>;
  readonly dataset: DatasetFacts;
  readonly model: JsonRecord;
  readonly recipe: JsonRecord;
  readonly seed: number;
  /** Parts of the road other than training, such as the demo's preset and held-out classes. */
  readonly notes?: JsonRecord;
}

/** A line of `metrics.jsonl`: `train` rows come every few steps, `eval` rows from whole splits. */
export type MetricRow =
  | {
      readonly type: "train";
      readonly step: number;
      readonly loss: number;
      readonly learning_rate: number;
      readonly accuracy?: number;
      readonly images_per_second?: number;
    }
  | {
      readonly type: "eval";
      readonly step: number;
      readonly split: "train" | "val" | "test";
      readonly loss: number;
      readonly accuracy: number;
      readonly n: number;
    };

/** The OOD metrics as fractions in [0, 1]; never a bare "FPR95". */
export interface OodMetrics {
  readonly auroc: number;
  readonly fpr_at_95_id_tpr: number;
  readonly fpr_at_95_ood_tpr: number;
  readonly aupr_in: number;
  readonly aupr_out: number;
  /** Average precision; absent in results of older versions. */
  readonly ap_in?: number;
  readonly ap_out?: number;
}

/** Metrics with what is known of their uncertainty. */
export interface MeasuredMetrics extends OodMetrics {
  /** Sample standard deviation over runs, where the metrics are means over runs. */
  readonly std?: OodMetrics;
  /** Bootstrap intervals over the samples. */
  readonly intervals?: Readonly<Partial<Record<keyof OodMetrics, readonly [number, number]>>>;
}

/** DeLong's test against a reference method. */
export interface DelongResult {
  readonly reference: string;
  readonly difference: number;
  readonly p: number | null;
}

/** Area under risk and coverage, and its excess over a perfect order. */
export interface SelectiveRisk {
  readonly aurc: number;
  readonly eaurc: number;
}

/** A method on one set. */
export interface SetResult extends MeasuredMetrics {
  readonly n: number;
  readonly delong?: DelongResult;
  readonly selective?: SelectiveRisk;
}

/** A method's row of `ood.json`. Averages are absent where their group has no set. */
export interface MethodResult {
  readonly params: JsonRecord;
  readonly sets: Readonly<Record<string, SetResult>>;
  readonly near?: MeasuredMetrics | null;
  readonly far?: MeasuredMetrics | null;
  readonly average?: MeasuredMetrics | null;
  readonly selective?: SelectiveRisk;
}

/** What `ood.json` says of the classifier on the ID test set. */
export interface IdResult {
  readonly n: number;
  readonly accuracy: number | null;
  /** Sample standard deviation over runs. */
  readonly accuracy_std?: number;
  readonly ece?: number | null;
  readonly ece_adaptive?: number | null;
  readonly reliability?:
    | readonly {
        readonly n: number;
        readonly confidence: number | null;
        readonly accuracy: number | null;
      }[]
    | null;
  readonly risk_coverage?: {
    readonly coverage: readonly number[];
    readonly risk: Readonly<Record<string, readonly number[]>>;
  } | null;
}

/** `ood.json`, as `neco ood --json` writes it. What only figures need may be absent; a run keeps it apart. */
export interface OodJson {
  readonly schema: "neco-webgpu/ood@1";
  readonly adapter: string;
  readonly config: JsonRecord;
  readonly id: IdResult;
  readonly results: Readonly<Record<string, MethodResult>>;
  readonly skipped: Readonly<Record<string, string>>;
  /** Runs that the figures are means over; absent for one. */
  readonly runs?: number;
  readonly distributions?: Distributions;
  readonly sweep?: SweepJson;
  readonly pca?: PcaJson;
}

/** Where an OOD set stands; a control (noise) is in no average. */
export type OodGroup = "near" | "far" | "control" | "other";

/** Points of a cloud in the plane, rounded, as two columns. */
export interface Cloud {
  readonly x: readonly number[];
  readonly y: readonly number[];
}

/** `pca.json`: ID test features and OOD sets on the first two axes of the ID training features. */
export interface PcaJson {
  readonly schema: "neco-webgpu/pca@1";
  /** Shares of the variance that the two axes explain. */
  readonly explained: readonly [number, number];
  readonly classes: readonly string[];
  readonly id: Cloud & { readonly label: readonly number[] };
  readonly ood: Readonly<Record<string, Cloud>>;
}

/** `sweep.json`: NECO at every d of a grid. It has seen the test OOD sets and chooses nothing. */
export interface SweepJson {
  readonly schema: "neco-webgpu/sweep@1";
  readonly seen_test_ood: true;
  /** What it is of, where not of `neco`. */
  readonly method?: "neco-nologit";
  /** The d that the results use, chosen without OOD data. */
  readonly chosen: number;
  readonly d: readonly number[];
  readonly sets: Readonly<
    Record<
      string,
      { readonly auroc: readonly number[]; readonly fpr_at_95_id_tpr: readonly number[] }
    >
  >;
}

/** An image with what the detector said about it. */
export interface Example {
  /** A data URI, so that the report needs no other file. */
  readonly image: string;
  readonly width: number;
  readonly height: number;
  /** The set it comes from, and its true class where there is one. */
  readonly set: string;
  readonly truth: string | null;
  readonly predicted: string;
  readonly probability: number;
  readonly score: number;
  readonly isOod: boolean;
}

/** Examples of a run and the rule they were judged by. */
export interface ExamplesJson {
  readonly schema: "neco-webgpu/examples@1";
  readonly method: string;
  readonly threshold: number;
  readonly examples: readonly Example[];
}

/** The source of a data set, as its licence wants it named. */
export interface Credit {
  readonly name: string;
  readonly credit: string;
  readonly hash: string | null;
}

/** Everything a report can show; what is null or empty is left out, aloud where it matters. */
export interface ReportInput {
  readonly title: string;
  /** When the report was made, ISO 8601. */
  readonly generated: string;
  readonly version: string;
  readonly config: RunConfig | null;
  readonly metrics: readonly MetricRow[];
  readonly ood: OodJson | null;
  readonly groups: Readonly<Record<string, OodGroup>>;
  readonly distributions: Distributions;
  readonly sweep: SweepJson | null;
  readonly nc: NcJson | null;
  readonly pca: PcaJson | null;
  readonly examples: ExamplesJson | null;
  readonly credits: readonly Credit[];
}
