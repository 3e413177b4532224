/** What test/golden/make_metric_goldens.py says: see there for how each figure is taken. */
import { readFileSync } from "node:fs";

interface Sides {
  readonly id: readonly number[];
  readonly ood: readonly number[];
}

/** The file as it is. */
export interface MetricGoldens {
  readonly ranking: readonly {
    readonly a: Sides;
    readonly b: Sides;
    readonly precision: { readonly ap_in: number; readonly ap_out: number };
    readonly delong: Readonly<Record<"auroc" | "se" | "low" | "high", number>>;
    readonly test: Readonly<Record<"difference" | "low" | "high" | "z" | "p", number>>;
  }[];
  readonly answers: readonly ({
    readonly confidence: readonly number[];
    readonly right: readonly number[];
  } & Readonly<Record<"aurc" | "eaurc" | "ece" | "ece_adaptive", number>>)[];
  readonly tails: readonly { readonly z: number; readonly p: number }[];
  readonly levels: readonly { readonly level: number; readonly z: number }[];
  readonly binomial: readonly {
    readonly n: number;
    readonly p: number;
    readonly at: readonly number[];
    readonly cdf: readonly number[];
  }[];
}

/** The goldens of the metrics. */
export const metricGoldens = JSON.parse(
  readFileSync(new URL("../golden/metrics.json", import.meta.url), "utf8"),
) as MetricGoldens;

/** Numbers as metrics take them. */
export const f64 = (values: readonly number[]): Float64Array => Float64Array.from(values);
