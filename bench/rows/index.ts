/** All rows of the bench. */
import type { Caps } from "../../src/kernels/op.ts";
import { fusedRows } from "./fused.ts";
import { linalgRows } from "./linalg.ts";
import { necoRows } from "./neco.ts";
import { opRows } from "./ops.ts";
import type { Row } from "./row.ts";
import { vitRows } from "./vit.ts";

/** Workloads first, then products with what follows them, then the op table. */
export const benchRows = (caps: Caps): Row[] => [
  ...vitRows(caps),
  ...necoRows,
  ...linalgRows,
  ...fusedRows,
  ...opRows(caps),
];
