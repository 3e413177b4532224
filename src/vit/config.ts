/** Sizes of Vision Transformers, by name or from JSON. */
import { UsageError } from "../util/errors.ts";

/** What decides a ViT's shape. T = (imageSize / patch)² + 1 tokens. */
export interface ViTConfig {
  readonly name: string;
  /** Side of the square input, pixels. */
  readonly imageSize: number;
  readonly channels: number;
  /** Side of a square patch, pixels. */
  readonly patch: number;
  /** Width D. */
  readonly dim: number;
  readonly depth: number;
  readonly heads: number;
  /** Hidden width of the MLP. */
  readonly mlp: number;
  readonly classes: number;
  /** Added to the variance in every LayerNorm. */
  readonly epsilon: number;
  /** Share of activations dropped in training. */
  readonly dropout: number;
  /** Share of attention weights dropped in training. */
  readonly attentionDropout: number;
  /** Share of residual branches dropped per sample in the last block; earlier ones linearly less. */
  readonly dropPath: number;
}

type Size = Pick<ViTConfig, "imageSize" | "channels" | "patch" | "dim" | "depth" | "heads" | "mlp">;

const size = (
  [imageSize, channels, patch]: [number, number, number],
  [dim, depth, heads, mlp]: [number, number, number, number],
): Size => ({ imageSize, channels, patch, dim, depth, heads, mlp });

/** Known sizes. ViT-* as in Dosovitskiy et al. (2021), table 1; Ti as in Touvron et al. (2021). */
const SIZES: Readonly<Record<string, Size>> = {
  "vit-nano-28": size([28, 1, 7], [48, 3, 3, 96]),
  "vit-micro-28": size([28, 1, 7], [64, 4, 4, 128]),
  "vit-tiny-28": size([28, 1, 4], [64, 4, 4, 128]),
  "vit-small-28": size([28, 1, 4], [64, 4, 4, 256]),
  "vit-tiny-32": size([32, 3, 4], [96, 4, 4, 192]),
  "vit-small-32": size([32, 3, 4], [192, 6, 6, 384]),
  "ViT-Ti_16": size([224, 3, 16], [192, 12, 3, 768]),
  "ViT-S_16": size([224, 3, 16], [384, 12, 6, 1536]),
  "ViT-S_32": size([224, 3, 32], [384, 12, 6, 1536]),
  "ViT-B_8": size([224, 3, 8], [768, 12, 12, 3072]),
  "ViT-B_16": size([224, 3, 16], [768, 12, 12, 3072]),
  "ViT-B_32": size([224, 3, 32], [768, 12, 12, 3072]),
  "ViT-L_16": size([224, 3, 16], [1024, 24, 16, 4096]),
  "ViT-L_32": size([224, 3, 32], [1024, 24, 16, 4096]),
  "ViT-H_14": size([224, 3, 14], [1280, 32, 16, 5120]),
};

/** Names that {@link vitConfig} knows. */
export const vitNames = (): string[] => Object.keys(SIZES);

/** Tokens of a sequence, class token included. */
export const tokenCount = ({ imageSize, patch }: ViTConfig): number => (imageSize / patch) ** 2 + 1;

/** What files of versions that did not know a field mean by its absence. */
const LATER_FIELDS = { attentionDropout: 0 } as const;

/**
 * A configuration by name, with changes.
 * @throws UsageError for an unknown name, or sizes that do not fit each other.
 */
export function vitConfig(name: string, changes: Partial<ViTConfig> = {}): ViTConfig {
  const key = vitNames().find((known) => known.toLowerCase() === name.toLowerCase());
  const known = key === undefined ? undefined : SIZES[key];
  if (!known) throw new UsageError(`unknown model ${name}; choose from ${vitNames().join(", ")}`);
  return checkConfig({
    name: key ?? name,
    ...known,
    classes: 1000,
    epsilon: 1e-6,
    dropout: 0,
    dropPath: 0,
    ...LATER_FIELDS,
    ...changes,
  });
}

/**
 * A configuration as this engine, maybe an earlier version of it, wrote it to a file.
 * @throws UsageError as {@link checkConfig}.
 */
export const storedConfig = (stored: object): ViTConfig =>
  // All fields but those are in the file. Its order stays, so that the next checkpoint has its bytes.
  checkConfig({ ...stored, ...LATER_FIELDS, ...(stored as ViTConfig) });

/**
 * Returns a configuration whose sizes fit each other.
 * @throws UsageError naming the two that do not.
 */
export function checkConfig(config: ViTConfig): ViTConfig {
  const { imageSize, patch, dim, heads, classes } = config;
  if (imageSize % patch !== 0)
    throw new UsageError(
      `${config.name}: images of ${imageSize} pixels do not divide into patches of ${patch}; choose --img-size ${Math.ceil(imageSize / patch) * patch}`,
    );
  if (dim % heads !== 0)
    throw new UsageError(`${config.name}: width ${dim} does not divide into ${heads} heads`);
  if (!Number.isInteger(classes) || classes < 1)
    throw new UsageError(`${config.name}: classes must be a whole number ≥ 1, not ${classes}`);
  return config;
}
