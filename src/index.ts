/** The library: `import { createEngine, program, vit, neco, linalg } from "neco-webgpu"`. */
export * from "./engine/index.ts";
export * as vit from "./vit/index.ts";
export * as neco from "./neco/index.ts";
export * as linalg from "./linalg/index.ts";
export { NecoError } from "./util/errors.ts";
export { ImageDetector } from "./image-detector.ts";
export type { ImageInput, RgbaImage } from "./image-detector.ts";
