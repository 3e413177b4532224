/** Fresh parameters: drawn on the host in float64 and rounded, the same on every machine. */
import type { ParamSpec } from "../../engine/index.ts";
import { normal, uniform } from "../../util/random.ts";
import { at, sizeOf } from "../../util/shape.ts";
import type { ViTConfig } from "../config.ts";
import { paramLayout } from "./layout.ts";
import type { ParamLayout } from "./layout.ts";
import type { ParamValues, ValueSource } from "./timm.ts";

/** Deviation of fresh class token and positions (Dosovitskiy et al., 2021, as published code). */
const TOKEN_STD = 0.02;

function fresh({ name, shape, kind }: ParamLayout, seed: number, stream: number): Float32Array {
  const count = sizeOf(shape);
  switch (kind) {
    case "matrix":
    case "patch": {
      // Glorot & Bengio (2010): uniform within ±√(6 / (in + out)), as the published ViT code.
      const bound = Math.sqrt(6 / (at(shape, 0) + at(shape, 1)));
      return uniform(count, { seed, stream, low: -bound, high: bound });
    }
    case "token":
      return normal(count, { seed, stream, std: TOKEN_STD });
    case "vector":
      return new Float32Array(count).fill(/norm\d?\.weight$/.test(name) ? 1 : 0);
  }
}

/**
 * Fresh values of single parameters, drawn when asked for: a pretrained model wants a head only,
 * and drawing all of ViT-B/16 takes a minute.
 */
export function initialSource(config: ViTConfig, seed: number): ValueSource {
  const layouts = paramLayout(config);
  return {
    get(name) {
      const stream = layouts.findIndex((layout) => layout.name === name);
      return stream < 0 ? undefined : fresh(at(layouts, stream), seed, stream);
    },
  };
}

/** Fresh values of every parameter; each draws from a stream of its own. */
export const initialValues = (config: ViTConfig, seed: number): ParamValues =>
  new Map(paramLayout(config).map((layout, stream) => [layout.name, fresh(layout, seed, stream)]));

/**
 * Parameters ready for a ParamSet; weight decay applies to matrices only.
 * @throws RangeError if a value is missing.
 */
export function paramSpecs(config: ViTConfig, values: ParamValues): ParamSpec[] {
  return paramLayout(config).map(({ name, shape, kind }) => {
    const value = values.get(name);
    if (!value) throw new RangeError(`no value for parameter ${name}`);
    return { name, shape, values: value, decay: kind === "matrix" || kind === "patch" };
  });
}
