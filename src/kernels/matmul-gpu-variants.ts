/** More ways to multiply matrices on GPUs, for `neco tune` to choose from. */
import { matmulDoubleBuffered } from "../../shaders/matmulDoubleBuffered.wgsl.ts";
import { matmulSubgroupRows } from "../../shaders/matmulSubgroupRows.wgsl.ts";
import { product } from "./matmul-product.ts";
import type { MatmulAttrs } from "./matmul-product.ts";
import { productPlan } from "./matmul-variants.ts";
import type { KernelCode } from "./matmul-variants.ts";
import type { Variant } from "./op.ts";

const DOUBLE_TILE = {
  rows: 128,
  cols: 64,
  lanes: 256,
  bytes: 2 * 8 * (33 + 17) * 16, // two pairs of tiles, 8 terms deep, with their padding
} as const;

const doubleBuffered: Variant<MatmulAttrs> = {
  usable: (_inputs, _attrs, caps) =>
    caps.maxInvocations >= DOUBLE_TILE.lanes && caps.maxWorkgroupBytes >= DOUBLE_TILE.bytes,
  plan(inputs, attrs, caps) {
    const of = product(inputs, attrs);
    const alongK = { aAlongK: !attrs.transposeA, bAlongK: attrs.transposeB };
    const code: KernelCode = (epilogue) => matmulDoubleBuffered({ ...of, ...epilogue, ...alongK });
    return productPlan(code, DOUBLE_TILE, of, caps);
  },
};

/** Rows of a tile of `subgroupRows`: with 8 columns a lane has 64 accumulators. */
const SUBGROUP_ROWS = 8;
/** Terms of one turn: more are longer texts, not fewer loads. */
const MOST_TERMS = 16;
const FEWEST_TERMS = 4;
/** A workgroup is a subgroup of the largest size, or as many smaller ones; GPUs' have 16 to 64 lanes. */
const FEWEST_LANES = 32;
const MOST_LANES = 64;

const subgroupRows: Variant<MatmulAttrs> = {
  usable: (_inputs, _attrs, { subgroupMin, subgroupMax }) =>
    subgroupMin >= FEWEST_TERMS && subgroupMax <= MOST_LANES,
  plan(inputs, attrs, caps) {
    const of = product(inputs, attrs);
    const lanes = Math.max(FEWEST_LANES, caps.subgroupMax);
    const tiling = {
      lanes,
      depth: Math.min(MOST_TERMS, caps.subgroupMin),
      rows: SUBGROUP_ROWS,
      colGroups: of.n > 4 * lanes ? 2 : 1, // two would leave most lanes without columns
    };
    const code: KernelCode = (epilogue) => matmulSubgroupRows({ ...of, ...epilogue, ...tiling });
    return productPlan(code, { rows: tiling.rows, cols: 4 * lanes * tiling.colGroups }, of, caps);
  },
};

/**
 * Variants by name. None is a static pick: no argument without a measurement puts them before
 * `workgroupTiled`, whose smaller tiles leave fewer lanes idle on the sizes of small models.
 */
export const matmulGpuVariants = { doubleBuffered, subgroupRows };
