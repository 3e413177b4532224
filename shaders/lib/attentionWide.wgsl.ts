/** What the attention kernels for wide heads share: a workgroup's lanes have columns of their own. */
import { element } from "./half.wgsl.ts";
import { wgsl } from "./wgsl.ts";

/** Options of the attention kernels for wide heads. */
export interface AttentionWideOptions {
  readonly headSize: number;
  /** Weights are dropped: masks are drawn with random_key. */
  readonly dropout: boolean;
  /** qkv, y and g are stored as f16; everything else is f32. */
  readonly isHalf: boolean;
}

/** `column(c, lane)`: the lane's c-th column of a head's rows, one WORKGROUP apart. */
export const attentionWide = ({
  headSize,
  isHalf,
}: Omit<AttentionWideOptions, "dropout">): string => wgsl`
${element(isHalf)}
const HEAD_SIZE: u32 = ${headSize}u;
const WORKGROUP: u32 = 64u;
const LANE_COLS: u32 = ${Math.ceil(headSize / 64)}u;

// Columns past the end are read from the last one, and not stored.
fn column(c: u32, lane: u32) -> u32 {
  return min(c * WORKGROUP + lane, HEAD_SIZE - 1u);
}
`;
