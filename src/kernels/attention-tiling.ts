/** How attention's tiled kernels divide heads: rows of a workgroup and tokens of a tile. */
import { tilingOf } from "../../shaders/lib/attentionTiles.wgsl.ts";
import { ceilDiv } from "../util/shape.ts";
import type { Sizes } from "./attention-layout.ts";
import type { Caps } from "./op.ts";

/** Rows of a workgroup and tokens of a tile. */
export interface Tiling {
  readonly rows: number;
  readonly tile: number;
}

/** Arrays that a kernel keeps in workgroup memory beside two tiles. */
export interface TileArrays {
  /** Of whole rows of the block. */
  readonly rows: number;
  /** Of a weight for each row and token of the tile. */
  readonly weights: number;
  /** What the rows are. */
  readonly of: "queries" | "tokens";
}

/** By kernel; the gradient for keys keeps most. */
export const TILE_ARRAYS = {
  forward: { rows: 1, weights: 1, of: "queries" },
  query: { rows: 2, weights: 1, of: "queries" },
  key: { rows: 2, weights: 2, of: "tokens" },
} as const satisfies Record<string, TileArrays>;

/**
 * Two workgroups for each of a large GPU's 132 multiprocessors. 12 heads of 2 images of 197 tokens
 * are 168 blocks of 32 rows but 312 of 16, 4 subgroups of 32 each: 9 on a multiprocessor.
 */
const MIN_WORKGROUPS = 264;

/** From the most work for a load from workgroup memory to the least memory. */
const MANY_ROWS: readonly Tiling[] = [32, 16].map((tile) => ({ rows: 32, tile }));
const FEW = 16;
const FEW_ROWS: readonly Tiling[] = [32, 16, 8].map((tile) => ({ rows: FEW, tile }));

/** Bytes of a kernel's workgroup memory. */
function tilingBytes(
  of: Pick<Sizes, "headSize">,
  { rows, tile }: Tiling,
  arrays: TileArrays,
): number {
  const { stride, quads, quadStride } = tilingOf({ headSize: of.headSize, rows, tile });
  const vectors = (arrays.rows * rows + 2 * tile) * stride + arrays.weights * rows * quadStride;
  const words = rows * (quads + 1); // a lane's values in the forward pass, draws for keys
  return 16 * vectors + 4 * words;
}

/** The first tiling that the adapter's workgroup memory holds and that fills a GPU, or null. */
export function tilingFor(of: Sizes, arrays: TileArrays, caps: Caps): Tiling | null {
  const own = of[arrays.of];
  const isMany = own > FEW && of.batches * of.heads * ceilDiv(own, 32) >= MIN_WORKGROUPS;
  const tilings = [...(isMany ? MANY_ROWS : []), ...FEW_ROWS];
  const fits = (tiling: Tiling): boolean =>
    tilingBytes(of, tiling, arrays) <= caps.maxWorkgroupBytes;
  return tilings.find(fits) ?? null;
}
