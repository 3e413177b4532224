/** The Vision Transformer in plain float64 loops, one image at a time: the oracle of scores that look into it. */
import { erf64 } from "../../src/kernels/erf64.ts";
import { at } from "../../src/util/shape.ts";
import type { ParamValues, Transform, ViTConfig } from "../../src/vit/index.ts";

/** Rows of numbers: tokens [T][D]. */
export type Rows = number[][];

/** Tokens leaving a block, looked at or replaced. */
export type EachRows = (tokens: Rows, layer: number) => Rows;

/** What a forward pass gives. */
export interface Outputs64 {
  readonly features: number[];
  readonly logits: number[];
}

const dotOf = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, k) => sum + value * at(b, k), 0);

/** softmax in float64. */
export function softmax64(logits: readonly number[], temperature = 1): number[] {
  const largest = Math.max(...logits);
  const terms = logits.map((z) => Math.exp((z - largest) / temperature));
  const total = terms.reduce((a, b) => a + b, 0);
  return terms.map((term) => term / total);
}

/** log Σ exp in float64. */
export function logSumExp64(logits: readonly number[]): number {
  const largest = Math.max(...logits);
  return largest + Math.log(logits.reduce((sum, z) => sum + Math.exp(z - largest), 0));
}

/** The first index of the largest. */
export const argmax64 = (values: readonly number[]): number => values.indexOf(Math.max(...values));

/** A ViT of f32 parameters, run in float64. Images have the model's size already. */
export class Vit64 {
  readonly config: ViTConfig;
  private readonly values: ParamValues;
  private readonly transform: Transform;

  constructor(config: ViTConfig, values: ParamValues, transform: Transform) {
    this.config = config;
    this.values = values;
    this.transform = transform;
  }

  /** u8 [S · S · channels] → (p/255 − mean)/std. */
  input(pixels: Uint8Array): number[] {
    const { mean, std, channels } = this.transform;
    return Array.from(
      pixels,
      (pixel, index) => (pixel / 255 - at(mean, index % channels)) / at(std, index % channels),
    );
  }

  forward(x: readonly number[], each: EachRows = (tokens) => tokens): Outputs64 {
    const { depth, dim, imageSize, patch, channels } = this.config;
    const side = imageSize / patch;
    const positions = this.param("pos_embed");
    const tokens: Rows = [Array.from(this.param("cls_token"))];
    for (let token = 0; token < side * side; token++) {
      const [row, column] = [Math.floor(token / side) * patch, (token % side) * patch];
      const cut: number[] = [];
      for (let dy = 0; dy < patch; dy++)
        for (let dx = 0; dx < patch; dx++)
          for (let c = 0; c < channels; c++)
            cut.push(at(x, ((row + dy) * imageSize + column + dx) * channels + c));
      tokens.push(this.linear(cut, "patch_embed.proj"));
    }
    let rows = tokens.map((token, t) => token.map((v, d) => v + at(positions, t * dim + d)));
    for (let layer = 0; layer < depth; layer++) rows = each(this.block(rows, layer), layer);
    const features = this.norm(at(rows, 0), "norm");
    return { features, logits: this.linear(features, "head") };
  }

  private block(rows: Rows, layer: number): Rows {
    const name = `blocks.${layer}`;
    const qkv = rows.map((row) => this.linear(this.norm(row, `${name}.norm1`), `${name}.attn.qkv`));
    const attended = this.attention(qkv);
    const sum = rows.map((row, t) => {
      const added = this.linear(at(attended, t), `${name}.attn.proj`);
      return row.map((value, d) => value + at(added, d));
    });
    return sum.map((row) => {
      const hidden = this.linear(this.norm(row, `${name}.norm2`), `${name}.mlp.fc1`);
      const active = hidden.map((v) => 0.5 * v * (1 + erf64(v / Math.SQRT2)));
      const added = this.linear(active, `${name}.mlp.fc2`);
      return row.map((value, d) => value + at(added, d));
    });
  }

  private attention(qkv: Rows): Rows {
    const { dim, heads } = this.config;
    const width = dim / heads;
    return qkv.map((row) => {
      const out: number[] = [];
      for (let head = 0; head < heads; head++) {
        const part = (of: number[], which: number): number[] =>
          of.slice(which * dim + head * width, which * dim + (head + 1) * width);
        const query = part(row, 0);
        const p = softmax64(qkv.map((key) => dotOf(query, part(key, 1)) / Math.sqrt(width)));
        for (let d = 0; d < width; d++)
          out.push(qkv.reduce((sum, value, t) => sum + at(p, t) * at(part(value, 2), d), 0));
      }
      return out;
    });
  }

  linear(x: readonly number[], name: string): number[] {
    const weight = this.param(`${name}.weight`);
    const bias = this.param(`${name}.bias`);
    const outputs = bias.length;
    return Array.from(bias, (b, o) =>
      x.reduce((sum, v, i) => sum + v * at(weight, i * outputs + o), b),
    );
  }

  private norm(x: readonly number[], name: string): number[] {
    const weight = this.param(`${name}.weight`);
    const bias = this.param(`${name}.bias`);
    const mean = x.reduce((a, b) => a + b, 0) / x.length;
    const variance = x.reduce((sum, v) => sum + (v - mean) ** 2, 0) / x.length;
    const scale = 1 / Math.sqrt(variance + this.config.epsilon);
    return x.map((v, d) => (v - mean) * scale * at(weight, d) + at(bias, d));
  }

  private param(name: string): Float32Array {
    const found = this.values.get(name);
    if (!found) throw new Error(`no parameter ${name}`);
    return found;
  }
}

/** ∂f/∂x by central differences, every element. */
export function slopes64(x: readonly number[], f: (x: readonly number[]) => number): number[] {
  const eps = 1e-5;
  const moved = [...x];
  return x.map((value, index) => {
    moved[index] = value + eps;
    const up = f(moved);
    moved[index] = value - eps;
    const down = f(moved);
    moved[index] = value;
    return (up - down) / (2 * eps);
  });
}
