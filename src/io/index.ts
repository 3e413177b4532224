/** Files of arrays: npy, npz, safetensors, CSV, and the feature files of the project's contract. */
export { checkFinite, checkLabels } from "./check.ts";
export {
  bytesOf,
  hostArray,
  narrowArray,
  toFloats,
  toInts,
  type ElementType,
  type HostArray,
} from "./element.ts";
export { parseNpy, serialiseNpy } from "./npy.ts";
export { openNpz, parseNpz, serialiseNpz } from "./npz.ts";
export { openSafetensors, parseSafetensors, serialiseSafetensors } from "./safetensors.ts";
export {
  loadDoubles,
  loadFloats,
  loadInts,
  loadRows,
  type ArrayStore,
  type StoredArray,
} from "./store.ts";
export { openArrays, storeArrays } from "./open.ts";
export { isPickleName, pickleError } from "./pickle.ts";
export {
  fromStore,
  memoryFeatures,
  openFeatures,
  type FeatureArrays,
  type FeatureFile,
  type FeatureSource,
  type Head,
} from "./features.ts";
export { checkHead, findHead, HEAD_NAMES, openHead } from "./head.ts";
export {
  createFeatures,
  headArrays,
  writeFeatures,
  type FeatureBlock,
  type FeatureLayout,
  type FeatureWriter,
} from "./write.ts";
