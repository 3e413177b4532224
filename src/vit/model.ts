/** The Vision Transformer of Dosovitskiy et al. (2021), figure 1, on one page. */
import type { Ops, Tensor } from "../engine/index.ts";
import type { ViTConfig } from "./config.ts";
import type { Precision } from "./recipe.ts";

/** Parameters by timm's names; matrices are kept [in, out]. */
export interface Weights {
  get(name: string): Tensor;
}

/** How a forward pass runs: by default in evaluation and in f32. */
export interface ForwardOptions {
  /** [4] u32, seeds dropout; absent in evaluation. */
  readonly key?: Tensor;
  /** f16: products take their operands in it. Sums, norms and the residual stream stay f32. */
  readonly precision?: Precision;
}

/** Looks at the tokens [N, T, D] that leave a block, or gives others in their place. */
export type EachBlock = (tokens: Tensor, layer: number) => Tensor;

/** What a forward pass gives. */
export interface ViTOutput {
  /** Class token after the last LayerNorm: what NECO calls h. [N, D] */
  readonly features: Tensor;
  /** h·W + b. [N, C] */
  readonly logits: Tensor;
}

/** A ViT as a function of its weights. Streams number the random draws of one pass. */
export class ViT {
  readonly config: ViTConfig;
  private readonly ops: Ops;
  private readonly weights: Weights;
  private readonly options: ForwardOptions;
  private stream = 0;

  constructor(ops: Ops, config: ViTConfig, weights: Weights, options: ForwardOptions = {}) {
    this.ops = ops;
    this.config = config;
    this.weights = weights;
    this.options = options;
  }

  /** images [N, S, S, channels] → features and logits. */
  forward(images: Tensor, each: EachBlock | null = null): ViTOutput {
    return this.encode(this.ops.patchify(images, { patch: this.config.patch }), each);
  }

  /**
   * patches [N, T−1, P·P·channels] (row, column, channel) → features and logits.
   * @param each - called after every block; all tokens are kept up to the last one then.
   */
  encode(patches: Tensor, each: EachBlock | null = null): ViTOutput {
    const { ops, weights } = this;
    const { depth, dim } = this.config;
    const count = patches.shape[0] ?? 0;
    let x = this.linear(patches, "patch_embed.proj"); // [N, T−1, D]
    const token = ops.broadcastTo(weights.get("cls_token"), { shape: [count, 1, dim] });
    x = ops.concat(token, x, { axis: 1 }); // [N, T, D]
    x = this.dropout(ops.add(x, weights.get("pos_embed")));
    for (let layer = 0; layer < depth; layer++) {
      // The head reads the class token alone: the rest would be thrown away, unless it is looked at.
      const isLast = layer === depth - 1 && each === null;
      x = this.block(x, layer, { classOnly: isLast });
      if (each) x = each(x, layer);
    }
    if (each) x = ops.slice(x, { axis: 1, start: 0, end: 1 });
    x = ops.reshape(x, { shape: [count, dim] }); // the class token
    const features = this.norm(x, "norm"); // [N, D]
    return { features, logits: this.linear(features, "head") };
  }

  /** x + attention(norm(x)), then + mlp(norm(x)). */
  private block(x: Tensor, layer: number, { classOnly }: { classOnly: boolean }): Tensor {
    const { ops } = this;
    const at = `blocks.${layer}`;
    const qkv = this.linear(this.norm(x, `${at}.norm1`), `${at}.attn.qkv`); // [N, T, 3D]
    const attended = this.attention(this.operand(qkv), classOnly ? 1 : 0); // [N, T or 1, D]
    let skip = classOnly ? ops.slice(x, { axis: 1, start: 0, end: 1 }) : x;
    skip = this.residual(skip, this.dropout(this.linear(attended, `${at}.attn.proj`)), layer);
    const hidden = this.linear(this.norm(skip, `${at}.norm2`), `${at}.mlp.fc1`); // [N, T, mlp]
    const active = this.dropout(ops.gelu(this.operand(hidden)));
    const out = this.linear(active, `${at}.mlp.fc2`);
    return this.residual(skip, this.dropout(out), layer);
  }

  private linear(x: Tensor, name: string): Tensor {
    const weight = this.operand(this.weights.get(`${name}.weight`));
    return this.ops.matmul(this.operand(x), weight, this.weights.get(`${name}.bias`));
  }

  /** x as products take it; the backward pass keeps it so, in half the memory. */
  private operand(x: Tensor): Tensor {
    const { precision: dtype = "f32" } = this.options;
    return x.dtype === dtype ? x : this.ops.cast(x, { dtype });
  }

  private norm(x: Tensor, name: string): Tensor {
    const { weights, config } = this;
    return this.ops.layernorm(x, weights.get(`${name}.weight`), weights.get(`${name}.bias`), {
      eps: config.epsilon,
    });
  }

  /** @param queries - how many of the first tokens ask; 0: all of them. */
  private attention(qkv: Tensor, queries: number): Tensor {
    const { heads, attentionDropout: rate } = this.config;
    const { key } = this.options;
    if (!key || rate === 0) return this.ops.attention(qkv, null, { heads, queries });
    return this.ops.attention(qkv, key, { heads, queries, rate, stream: this.stream++ });
  }

  private dropout(x: Tensor): Tensor {
    const { dropout: rate } = this.config;
    const { key } = this.options;
    if (!key || rate === 0) return x;
    return this.ops.dropout(x, key, { rate, stream: this.stream++ });
  }

  /** Stochastic depth (Huang et al., 2016): deeper blocks are dropped more often. */
  private residual(x: Tensor, branch: Tensor, layer: number): Tensor {
    const { dropPath, depth } = this.config;
    const rate = depth > 1 ? (dropPath * layer) / (depth - 1) : 0;
    const { key } = this.options;
    if (!key || rate === 0) return this.ops.add(x, branch);
    const kept = this.ops.dropPath(branch, key, { rate, stream: this.stream++ });
    return this.ops.add(x, kept);
  }
}
