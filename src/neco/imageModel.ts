/** What scores ask of a network that sees images; whoever has a network fills it in. */
import type { Tensor } from "../engine/index.ts";
import { UsageError } from "../util/errors.ts";

/** Looks at the tokens [B, T, D] that leave a block, or gives others in their place. */
export type EachBlock = (tokens: Tensor, layer: number) => Tensor;

/** What a forward pass gives. */
export interface ImageOutputs {
  readonly features: Tensor; // [B, D]
  readonly logits: Tensor; // [B, C]
}

/**
 * A network as functions of tensors. Scores call them inside a program of their own, so that a
 * gradient, a perturbation and a second forward pass are one replay without a readback.
 */
export interface ImageModel {
  /** Images of a pass at most: what a gradient keeps of them must fit in memory. */
  readonly batch: number;
  /** Bytes of an image, u8 [H, W, channels]. */
  readonly imageBytes: number;
  /** What pixels in [0, 1] are divided by, per channel. */
  readonly std: readonly number[];
  /** Number of blocks. */
  readonly depth: number;
  /** Width of tokens and features, D. */
  readonly dim: number;
  readonly classes: number;
  /** Bytes of images, four to a word → x [B, S, S, channels] under the test transform. */
  input(pixels: Tensor, count: number): Tensor;
  /** x → features and logits, in evaluation mode. Images of a batch do not mix. */
  forward(x: Tensor, each?: EachBlock): ImageOutputs;
}

/** What is said where a score that looks into the network is given features alone. */
export const blindness = (method: string): string =>
  `${method} looks into the network, so it judges images, not features: give image files and a detector that carries its network`;

/**
 * The network of a score that cannot do without.
 * @throws UsageError if there is none.
 */
export function needModel(model: ImageModel | null, method: string): ImageModel {
  if (!model) throw new UsageError(blindness(method));
  return model;
}
