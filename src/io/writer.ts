/** What writers of array files share: a layout known beforehand, filled piece by piece. */
import { DataError } from "../util/errors.ts";
import { sizeOf } from "../util/shape.ts";
import { ELEMENT_SIZES, type ElementType } from "./element.ts";
import type { ByteSink } from "./range.ts";

/** An array that will be written: its place is fixed before its elements are known. */
export interface ArrayLayout {
  readonly name: string;
  readonly dtype: ElementType;
  readonly shape: readonly number[];
}

/** Writes arrays piece by piece, several at a time if need be; a file appears at `finish`. */
export interface ArrayWriter {
  /** Adds the next bytes of an array, row-major and little-endian. */
  append(name: string, bytes: Uint8Array): Promise<void>;
  /** @throws DataError if an array is not filled. */
  finish(): Promise<void>;
  abort(): Promise<void>;
}

/** Where an array's elements go. */
export interface Region {
  readonly layout: ArrayLayout;
  readonly start: number;
}

/** Bytes of all elements. */
export const layoutBytes = ({ dtype, shape }: ArrayLayout): number =>
  sizeOf(shape) * ELEMENT_SIZES[dtype];

/** An {@link ArrayWriter} over regions of a sink. `seal` writes what is known only at the end. */
export function regionWriter(
  sink: ByteSink,
  regions: readonly Region[],
  hooks: { onAppend?: (name: string, bytes: Uint8Array) => void; seal?: () => Promise<void> } = {},
): ArrayWriter {
  const filled = new Map(regions.map(({ layout }) => [layout.name, 0]));
  return {
    async append(name, bytes) {
      const region = regions.find(({ layout }) => layout.name === name);
      const done = filled.get(name);
      if (region === undefined || done === undefined)
        throw new DataError(`no array "${name}" is planned in this file`);
      if (done + bytes.length > layoutBytes(region.layout))
        throw new DataError(`more elements than planned for "${name}"`);
      filled.set(name, done + bytes.length);
      hooks.onAppend?.(name, bytes);
      await sink.write(region.start + done, bytes);
    },
    async finish() {
      for (const { layout } of regions)
        if (filled.get(layout.name) !== layoutBytes(layout))
          throw new DataError(`"${layout.name}" [${layout.shape.join(", ")}] is not filled`);
      await hooks.seal?.();
      await sink.commit();
    },
    abort: () => sink.abort(),
  };
}
