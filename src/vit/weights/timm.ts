/** Reads and writes parameters in timm's layout: the checkpoint format of this project. */
import { FormatError } from "../../util/errors.ts";
import { sameShape, show } from "../../util/shape.ts";
import type { Shape } from "../../util/shape.ts";
import { hostArray, loadFloats } from "../../io/index.ts";
import type { ArrayStore, HostArray } from "../../io/index.ts";
import type { ViTConfig } from "../config.ts";
import { paramLayout } from "./layout.ts";
import type { ParamLayout } from "./layout.ts";
import { gridSide, resizePositions } from "./positions.ts";
import type { Interpolation } from "./positions.ts";

/** Parameter values by name, in this project's layout. */
export type ParamValues = Map<string, Float32Array>;

/** Values by name, such as {@link ParamValues}, or drawn when asked for. */
export type ValueSource = Pick<ParamValues, "get">;

/** rows × columns → columns × rows. */
export function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      out[column * rows + row] = values[row * columns + column] ?? 0;
  return out;
}

/** (channel, row, column) order of a patch's inputs, for each of ours (row, column, channel). */
function patchOrder({ patch, channels }: ViTConfig): number[] {
  const order: number[] = [];
  for (let row = 0; row < patch; row++)
    for (let column = 0; column < patch; column++)
      for (let channel = 0; channel < channels; channel++)
        order.push((channel * patch + row) * patch + column);
  return order;
}

/** The shape that timm's file gives a parameter. */
export function timmShape({ shape, kind }: ParamLayout, config: ViTConfig): Shape {
  if (kind === "matrix") return shape.toReversed();
  if (kind === "patch") return [config.dim, config.channels, config.patch, config.patch];
  return shape;
}

/** Our values → timm's. */
function toTimm(layout: ParamLayout, values: Float32Array, config: ViTConfig): Float32Array {
  const [rows = 1, columns = 1] = layout.shape;
  if (layout.kind === "matrix") return transposed(values, rows, columns);
  if (layout.kind !== "patch") return values;
  const out = new Float32Array(values.length);
  patchOrder(config).forEach((theirs, ours) => {
    for (let d = 0; d < columns; d++) out[d * rows + theirs] = values[ours * columns + d] ?? 0;
  });
  return out;
}

/** timm's values → ours. */
function fromTimm(layout: ParamLayout, values: Float32Array, config: ViTConfig): Float32Array {
  const [rows = 1, columns = 1] = layout.shape;
  if (layout.kind === "matrix") return transposed(values, columns, rows);
  if (layout.kind !== "patch") return values;
  const out = new Float32Array(values.length);
  patchOrder(config).forEach((theirs, ours) => {
    for (let d = 0; d < columns; d++) out[ours * columns + d] = values[d * rows + theirs] ?? 0;
  });
  return out;
}

/** Arrays of a checkpoint file, in timm's names and shapes. */
export function timmArrays(config: ViTConfig, values: ParamValues): Record<string, HostArray> {
  const arrays = paramLayout(config).map((layout): [string, HostArray] => {
    const value = values.get(layout.name);
    if (!value) throw new RangeError(`no value for ${layout.name}`);
    return [layout.name, hostArray(toTimm(layout, value, config), timmShape(layout, config))];
  });
  return Object.fromEntries(arrays);
}

/** How to fit weights of another data set or image size. */
export interface AdaptOptions {
  /** Replace the head by the given initial values when its classes differ, or always. */
  readonly head: "keep" | "replace-if-different" | "replace";
  readonly interpolation: Interpolation;
}

/** What was done to fit the weights. */
export interface LoadReport {
  readonly headReplaced: boolean;
  readonly positionsResized: { readonly from: number; readonly to: number } | null;
  /** Keys of the file that the model does not have. */
  readonly unknown: readonly string[];
}

/** Loaded values and what was done to fit them. */
export interface LoadedWeights {
  readonly values: ParamValues;
  readonly report: LoadReport;
}

const isHead = (name: string): boolean => name.startsWith("head.");

/**
 * Loads timm ViT weights into this model.
 *
 * @param initial - values for a head that is replaced.
 * @throws FormatError listing every missing key and every wrong shape.
 */
export async function loadTimm(
  store: ArrayStore,
  config: ViTConfig,
  initial: ValueSource,
  options: AdaptOptions,
): Promise<LoadedWeights> {
  const layouts = paramLayout(config);
  const values: ParamValues = new Map();
  const problems: string[] = [];
  let positionsResized: LoadReport["positionsResized"] = null;
  const headReplaced = await replacesHead(store, config, options);
  for (const layout of layouts) {
    const { name } = layout;
    if (isHead(name) && headReplaced) {
      values.set(name, initial.get(name) ?? new Float32Array());
      continue;
    }
    const stored = await store.find(name);
    const wanted = timmShape(layout, config);
    if (!stored) problems.push(`${name} is missing`);
    else if (sameShape(stored.shape, wanted))
      values.set(name, fromTimm(layout, await loadFloats(stored), config));
    else if (name === "pos_embed" && gridSide(stored.shape) > 0) {
      const loaded = await loadFloats(stored);
      const from = gridSide(stored.shape);
      const to = gridSide(wanted);
      values.set(
        name,
        resizePositions(loaded, { from, to, dim: config.dim }, options.interpolation),
      );
      positionsResized = { from, to };
    } else problems.push(`${name} is ${show(stored.shape)}, not ${show(wanted)}`);
  }
  if (problems.length > 0) throw new FormatError(store.file, mismatch(config, problems));
  const known = new Set(layouts.map(({ name }) => name));
  const unknown = store.names.filter((name) => !known.has(name));
  return { values, report: { headReplaced, positionsResized, unknown } };
}

/** The message for weights that are not this model's. */
export function mismatch({ name }: ViTConfig, problems: readonly string[]): string {
  const shown = problems.slice(0, 5).join("; ");
  const more = problems.length > 5 ? `; and ${problems.length - 5} more` : "";
  return `does not hold weights of ${name}: ${shown}${more}; choose the matching --model`;
}

async function replacesHead(
  store: ArrayStore,
  config: ViTConfig,
  { head }: AdaptOptions,
): Promise<boolean> {
  if (head === "replace") return true;
  if (head === "keep") return false;
  const stored = await store.find("head.weight");
  return stored?.shape[0] !== config.classes;
}
