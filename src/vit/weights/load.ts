/** Opens pretrained weights, whatever their layout. */
import { openArrays } from "../../io/index.ts";
import type { ViTConfig } from "../config.ts";
import { isGoogle, loadGoogle } from "./google.ts";
import { loadTimm } from "./timm.ts";
import type { AdaptOptions, LoadedWeights, ValueSource } from "./timm.ts";

/**
 * Loads a file of weights: Google's ViT .npz or timm's safetensors, told apart by their keys.
 *
 * @param initial - fresh values, for a head that is replaced.
 * @throws DataError if the file cannot be read.
 * @throws FormatError if it is broken, or holds another model.
 */
export async function loadWeights(
  path: string,
  config: ViTConfig,
  initial: ValueSource,
  options: AdaptOptions = { head: "replace-if-different", interpolation: "bilinear" },
): Promise<LoadedWeights> {
  const store = await openArrays(path);
  try {
    return await (isGoogle(store) ? loadGoogle : loadTimm)(store, config, initial, options);
  } finally {
    await store.close();
  }
}
