/** Linear algebra on the GPU: what other layers may use. */
export { eigh } from "./eigh.ts";
export type { Eigen } from "./eigh.ts";
