/** Linear algebra on the GPU: what other layers may use. */
export { eigh, eighHost } from "./eigh.ts";
export type { Eigen } from "./eigh.ts";
export { MomentAccumulator, mergeMoments } from "./moments.ts";
export type { Moments } from "./moments.ts";
export { deviations, pca } from "./pca.ts";
export type { Pca, PcaOptions } from "./pca.ts";
export { pinvh } from "./pinvh.ts";
export type { PseudoInverse } from "./pinvh.ts";
export { pinv, svd } from "./svd.ts";
export type { GeneralInverse, Svd } from "./svd.ts";
