/** GradNorm: size of the last layer's gradient for uniform targets, in closed form. */
import { emptyState } from "../score.ts";
import type { Score } from "../score.ts";

/**
 * ‖∂L/∂W‖₁ of L = −Σ_c log p_c, which is (Σ_c |C p_c − 1|) · ‖h‖₁. Huang et al., 2021. As the terms
 * sum to 0, the first factor is 2 Σ max(0, 1 − C p_c): no cancellation at the largest p.
 */
export const gradnorm: Score = {
  name: "gradnorm",
  aliases: [],
  title: "GradNorm",
  needs: ["logits"],
  fit: () => Promise.resolve(emptyState),
  bind: (engine) => ({
    async score(block) {
      const { ops } = engine;
      const logits = block.needLogits();
      const classes = logits.shape[1] ?? 1;
      const p = ops.softmax(logits);
      const lacks = ops.relu(ops.affine(p, { scale: -classes, shift: 1 }));
      const slopes = ops.affine(ops.sum(lacks, { axes: [1] }), { scale: 2 });
      const lengths = ops.sum(ops.abs(block.features), { axes: [1] });
      return Float64Array.from(await ops.mul(slopes, lengths).floats());
    },
    dispose: () => undefined,
  }),
};
