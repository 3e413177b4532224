/** The ways to multiply matrices without workgroup memory, and the plain one. */
import { matmul as matmulShader } from "../../shaders/matmul.wgsl.ts";
import { matmulBroadcast } from "../../shaders/matmulBroadcast.wgsl.ts";
import { matmulRegister } from "../../shaders/matmulRegister.wgsl.ts";
import { productPlan } from "./matmul-plan.ts";
import type { KernelCode } from "./matmul-plan.ts";
import { product, untransposed } from "./matmul-product.ts";
import type { MatmulAttrs } from "./matmul-product.ts";
import type { Variant } from "./op.ts";
import { fixedSubgroup } from "./pass.ts";

/** Rows of one invocation of `registerTile`. */
const REGISTER_ROWS = 8;
/**
 * Accumulators (of 4 columns) of one lane of `broadcast`. They lie in memory in any case; what they
 * cost is a compiler's time (0.5 s with 64 on lavapipe, 1.3 s with 128), and what they save is loads
 * of b, each of which takes as long as 40 multiply-adds there. Products of few rows leave half idle.
 */
const BROADCAST_CELLS = { few: 32, many: 64 } as const;
const BROADCAST_COLS = 2;

const naive: Variant<MatmulAttrs> = {
  usable: () => true,
  plan(inputs, attrs, caps) {
    const code: KernelCode = (of, epilogue) => matmulShader({ ...of, ...epilogue });
    const of = { ...product(inputs, attrs), vector: false };
    return productPlan(code, { rows: 8, cols: 8, lanes: 64 }, of, caps);
  },
};

const registerTile: Variant<MatmulAttrs> = {
  usable: () => true,
  plan(inputs, attrs, caps) {
    const code: KernelCode = (of, epilogue) =>
      matmulRegister({ ...of, ...epilogue, rows: REGISTER_ROWS });
    const tile = { rows: 2 * REGISTER_ROWS, cols: 64, lanes: 32 };
    return productPlan(code, tile, untransposed(product(inputs, attrs)), caps);
  },
};

const broadcast: Variant<MatmulAttrs> = {
  // Larger subgroups would need tiles of hundreds of rows; they are GPUs, and do better otherwise.
  usable: (_inputs, _attrs, caps) => fixedSubgroup(caps) === 4 || fixedSubgroup(caps) === 8,
  plan(inputs, attrs, caps) {
    const of = { ...untransposed(product(inputs, attrs)), flagsBias: true };
    const subgroup = fixedSubgroup(caps);
    const rows = BROADCAST_CELLS.few / BROADCAST_COLS;
    const cells = of.m > rows ? BROADCAST_CELLS.many : BROADCAST_CELLS.few;
    const rowGroups = cells / BROADCAST_COLS / subgroup;
    // Parts start at multiples of the grain, so that an even k has even parts.
    const isEven = of.k % 2 === 0;
    const options = {
      vector: of.vector,
      isHalf: of.isHalf,
      subgroup,
      rowGroups,
      colGroups: BROADCAST_COLS,
      depth: isEven ? 2 : 1,
      pairs: isEven && of.a.step === 1,
      octets: of.isHalf && of.vector && of.n % 8 === 0,
    };
    const code: KernelCode = (_of, epilogue) => matmulBroadcast({ ...options, ...epilogue });
    const cols = 4 * subgroup * BROADCAST_COLS;
    return productPlan(code, { rows: subgroup * rowGroups, cols, lanes: subgroup }, of, caps);
  },
};

/** Variants of matmul by name. */
export const matmulVariants = { broadcast, registerTile, naive };
