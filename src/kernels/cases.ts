/** The oracle of every op; a missing row does not compile. For tests and bench only. */
import type { OpCases } from "./case.ts";
import type { OpName } from "./index.ts";
import { layernormBackwardCases, layernormCases } from "./layernorm.cases.ts";
import { logitstatsCases } from "./logitstats.cases.ts";
import { softmaxBackwardCases, softmaxCases } from "./softmax.cases.ts";

/** Cases by op name. */
export const cases = {
  layernorm: layernormCases,
  layernormBackward: layernormBackwardCases,
  logitstats: logitstatsCases,
  softmax: softmaxCases,
  softmaxBackward: softmaxBackwardCases,
} satisfies Record<OpName, OpCases>;
