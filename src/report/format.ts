/** How numbers and names read in tables: one place, so that terminal and page agree. */
import type { MeasuredMetrics, OodJson, OodMetrics } from "./input.ts";

/** A metric of the result tables: its full name and which way is better. */
export interface MetricName {
  readonly key: keyof OodMetrics;
  readonly title: string;
  readonly better: "higher" | "lower";
  readonly meaning: string;
}

/** The metrics in table order; the full names are part of the contract. */
export const METRICS: readonly MetricName[] = [
  {
    key: "auroc",
    title: "AUROC",
    better: "higher",
    meaning: "chance that an ID sample scores higher than an OOD sample",
  },
  {
    key: "fpr_at_95_id_tpr",
    title: "FPR at 95 % ID TPR",
    better: "lower",
    meaning: "share of OOD samples kept when 95 % of ID samples are kept (NECO, ViM)",
  },
  {
    key: "fpr_at_95_ood_tpr",
    title: "FPR at 95 % OOD TPR",
    better: "lower",
    meaning: "share of ID samples flagged when 95 % of OOD samples are flagged (OpenOOD)",
  },
  {
    key: "aupr_in",
    title: "AUPR, ID positive",
    better: "higher",
    meaning: "area under precision and recall with ID as the positive class",
  },
  {
    key: "aupr_out",
    title: "AUPR, OOD positive",
    better: "higher",
    meaning: "area under precision and recall with OOD as the positive class",
  },
  {
    key: "ap_in",
    title: "Average precision, ID positive",
    better: "higher",
    meaning: "precision summed over steps of recall instead of along straight lines",
  },
  {
    key: "ap_out",
    title: "Average precision, OOD positive",
    better: "higher",
    meaning: "the same with OOD as the positive class",
  },
];

const METHOD_TITLES: Readonly<Record<string, string>> = {
  msp: "MSP",
  maxlogit: "MaxLogit",
  energy: "Energy",
  vim: "ViM",
  neco: "NECO",
  "neco-nologit": "NECO without MaxLogit",
  residual: "Residual",
  mahalanobis: "Mahalanobis",
  rmds: "Relative Mahalanobis",
  gmm: "GMM",
  temperature: "Temperature scaling",
  entropy: "Entropy",
  gen: "GEN",
  klmatching: "KL-Matching",
  openmax: "OpenMax",
  react: "Energy + ReAct",
  vra: "Energy + VRA",
  "ash-b": "ASH-B",
  "ash-p": "ASH-P",
  "ash-s": "ASH-S",
  scale: "SCALE",
  dice: "DICE",
  gradnorm: "GradNorm",
  nusa: "NuSA",
  she: "SHE",
  fdbd: "fDBD",
  nci: "NCI",
  knn: "kNN",
  nnguide: "NNGuide",
  relation: "Relation",
  cfood: "CFOOD",
  dropout: "MC dropout",
  ensemble: "Ensemble",
  odin: "ODIN",
  iodin: "IODIN",
  gram: "Gram",
  rankfeat: "RankFeat",
  "adascale-a": "AdaScale-A",
  "adascale-l": "AdaScale-L",
  "mds-ensemble": "Mahalanobis ensemble",
};

/** The method's name as papers write it; an unknown one stays as it is. */
export const methodTitle = (method: string): string => METHOD_TITLES[method] ?? method;

/** 0.98765 → "98.77"; what is missing or not finite reads "–". */
export const percent = (fraction: number | null | undefined): string =>
  fraction === null || fraction === undefined || !Number.isFinite(fraction)
    ? "–"
    : (100 * fraction).toFixed(2);

/** What is known of a percentage's uncertainty: `± 0.12` over runs, `[96.91, 97.48]` over samples, or nothing. */
export function spread(metrics: MeasuredMetrics | null | undefined, key: keyof OodMetrics): string {
  const std = metrics?.std?.[key];
  if (std !== undefined) return `± ${percent(std)}`;
  const interval = metrics?.intervals?.[key];
  return interval === undefined ? "" : `[${percent(interval[0])}, ${percent(interval[1])}]`;
}

/** What {@link spread} means in these results, to stand below a table; empty where there is none. */
export function spreadNote({ runs, config, results }: OodJson): string {
  if (runs !== undefined) return `mean ± sample standard deviation over n = ${runs} runs`;
  const hasIntervals = Object.values(results).some(({ sets }) =>
    Object.values(sets).some(({ intervals }) => intervals !== undefined),
  );
  if (!hasIntervals) return "";
  const { bootstrap, interval_level: level } = config;
  return `in brackets ${typeof level === "number" ? Math.round(100 * level) : 95} % intervals of a stratified bootstrap with ${typeof bootstrap === "number" ? count(bootstrap) : "1000"} replicates`;
}

/** Four significant digits, exponents only where they help. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e5)
    ? value.toExponential(2)
    : String(Number(value.toPrecision(4)));
}

/** Whole numbers with thin groups: 12 345. */
export const count = (value: number): string =>
  String(Math.round(value)).replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f");

/** True for adapters that compute on the CPU; their speed is no GPU speed. */
export const isSoftware = (kind: string): boolean => kind !== "gpu";
