/** What a report says of neural collapse: `nc.json`, typed. */

/** The four figures of NC2. */
export interface Nc2 {
  readonly equinorm_means: number;
  readonly equinorm_weights: number;
  readonly equiangularity_means: number;
  readonly equiangularity_weights: number;
}

/** Neural-collapse metrics of one checkpoint. */
export interface NcMetrics {
  readonly nc1: number;
  readonly nc1_trace: number;
  readonly nc2: Nc2;
  readonly nc3: number;
  readonly nc4: number;
  readonly nc5: Readonly<Record<string, number>>;
  readonly with_ood: Readonly<Record<string, { readonly nc1: number; readonly nc2: Nc2 }>>;
  readonly ood_only: Readonly<Record<string, { readonly nc1: number }>>;
  /** Training accuracy in eval mode, a fraction. */
  readonly accuracy: number;
  /** The squared error's parts, where `neco nc --mse` measured them. */
  readonly mse?: {
    readonly weight_decay: number;
    readonly lnc1: number;
    readonly lnc2_3: number;
    readonly l_perp: number;
    readonly loss: number;
  };
  /** The regularised loss, where `neco nc --loss` measured it. */
  readonly loss?: {
    readonly kind: "ce" | "mse";
    readonly weight_decay: number;
    readonly parameters: "head" | "network";
    readonly mean: number;
    readonly penalty: number;
    readonly total: number;
  };
}

/** `nc.json`: the last checkpoint's metrics, and all of them under `steps` for a run. */
export interface NcJson extends NcMetrics {
  readonly schema: "neco-webgpu/nc@1";
  readonly steps?: readonly (NcMetrics & { readonly step: number })[];
}
