/** Options that decide how scores are fitted: what `neco ood` takes, checked. */
import { UsageError } from "../util/errors.ts";

/** A value of a method's parameter. */
export type ParamValue = string | number | boolean;

/** Values given by hand: parameters by method. */
export type MethodParams = Readonly<Record<string, Readonly<Record<string, ParamValue>>>>;

/** Where default parameters come from when methods are published with different ones. */
export type Preset = "neco" | "vim" | "openood";

/** How NECO's principal space and ratio are made (docs/methods.md). */
export type NecoMode = "official" | "paper" | "paper-centred";

/** `auto`: smallest d with ≥ 0.90 explained variance; `classes`: C − 1, the rank of a simplex ETF. */
export type NecoDim = number | "auto" | "classes";

/** Options of all scores. */
export interface ScoreOptions {
  readonly preset: Preset;
  readonly necoDim: NecoDim;
  readonly necoMode: NecoMode;
  /** `raw` divides the official mode's projection by ‖h‖, as the reference does for DeiT and Swin. */
  readonly necoDenominator: "standardised" | "raw" | "default";
  /** Multiply NECO's ratio by the largest logit; off for ResNets. */
  readonly necoMaxLogit: boolean;
  /** Dimension of ViM's and Residual's principal space; the preset decides by default. */
  readonly principalDim: number | "default";
  /** Eigenvalues at or below rcond · λmax count as zero in pseudo-inverses. */
  readonly rcond: number;
  /** Parameters of single methods, such as `{ react: { quantile: 0.95 } }`. */
  readonly methodParams: MethodParams;
}

/** The options that `neco ood` starts from. */
export const defaultOptions: ScoreOptions = {
  preset: "neco",
  necoDim: "auto",
  necoMode: "official",
  necoDenominator: "default",
  necoMaxLogit: true,
  principalDim: "default",
  rcond: 1e-6, // the noise floor of eigenvalues in f32
  methodParams: {},
};

/**
 * Fills in defaults and checks what can be checked without data.
 * @throws UsageError naming the option.
 */
export function scoreOptions(given: Partial<ScoreOptions> = {}): ScoreOptions {
  const options = { ...defaultOptions, ...given };
  for (const [name, value] of [
    ["--neco-dim", options.necoDim],
    ["--principal-dim", options.principalDim],
  ] as const)
    if (typeof value === "number" && !(Number.isInteger(value) && value >= 1))
      throw new UsageError(`${name} must be a whole number of at least 1; got ${value}`);
  if (!(options.rcond >= 0 && options.rcond < 1))
    throw new UsageError(`--rcond must be in [0, 1); got ${options.rcond}`);
  if (options.necoMode !== "official" && options.necoDenominator === "standardised")
    throw new UsageError(
      `--neco-denominator standardised goes with --neco-mode official only; ${options.necoMode} divides by the raw norm`,
    );
  return options;
}
