/** Which values are made again for their late readers. */
import { describe, expect, it } from "vitest";
import { fuseSteps } from "../../src/engine/fusion.ts";
import { recomputeLate } from "../../src/engine/recompute.ts";
import type { Tensor } from "../../src/engine/tensor.ts";
import { table } from "../../src/kernels/index.ts";
import { at } from "../../src/util/shape.ts";
import { goldenCaps } from "../../tools/expanded.ts";
import { Draft, labelsOf } from "./draft.ts";

const { add, addInPlace, gelu, matmul, neg, layernorm, softmax } = table;

const rewritten = ({ recorder, pinned }: Draft): string[] =>
  labelsOf(recomputeLate(recorder.steps, pinned, recorder));

/** Enough steps between two uses that a value is worth a second computation. */
function wait(draft: Draft, x: Tensor): void {
  let value = x;
  for (let k = 0; k < 8; k++) value = draft.run(softmax, value);
  draft.pin(value);
}

/** y = op(x), read at once and again after a wait that starts from the first read. */
function readTwice(draft: Draft, y: Tensor): void {
  const early = draft.run(matmul, y, draft.real());
  wait(draft, early);
  draft.pin(draft.run(matmul, draft.real(), y));
}

const WAIT = Array<string>(8).fill("softmax");

describe("recomputeLate makes again", () => {
  it("an activation of real memory, just before its late reader", () => {
    const draft = new Draft();
    readTwice(draft, draft.run(gelu, draft.real()));
    expect(rewritten(draft)).toEqual(["gelu", "matmul", ...WAIT, "gelu", "matmul"]);
    const steps = recomputeLate(draft.recorder.steps, draft.pinned, draft.recorder);
    const [again, late] = [at(steps, -2), at(steps, -1)];
    expect(at(late.uses, 1).virtual).toBe(at(again.uses, 1).virtual);
    expect(at(late.uses, 1).virtual).not.toBe(at(at(steps, 0).uses, 1).virtual);
    const fused = labelsOf(fuseSteps(steps, draft.pinned, goldenCaps));
    expect(fused, "fusion leaves it there").toEqual(labelsOf(steps));
  });

  it("a chain of cheap values, and normalised rows", () => {
    const chain = new Draft();
    readTwice(chain, chain.run(neg, chain.run(gelu, chain.real())));
    expect(rewritten(chain).slice(-3)).toEqual(["gelu", "neg", "matmul"]);
    const rows = new Draft();
    readTwice(rows, rows.run(layernorm, rows.real(), rows.real([8]), rows.real([8])));
    expect(rewritten(rows).slice(-2)).toEqual(["layernorm", "matmul"]);
  });
});

describe("recomputeLate leaves alone", () => {
  const unchanged = (draft: Draft): void => {
    expect(rewritten(draft)).toEqual(labelsOf(draft.recorder.steps));
  };

  it("dear values, and sums with operands that are gone", () => {
    const dear = new Draft();
    readTwice(dear, dear.run(matmul, dear.real(), dear.real()));
    unchanged(dear);
    const gone = new Draft();
    readTwice(gone, gone.run(add, gone.real(), gone.run(matmul, gone.real(), gone.real())));
    unchanged(gone);
  });

  it("values that are read soon, or returned", () => {
    const soon = new Draft();
    const y = soon.run(gelu, soon.real());
    soon.pin(soon.run(matmul, y, soon.run(matmul, y, soon.real())));
    unchanged(soon);
    const returned = new Draft();
    const kept = returned.run(gelu, returned.real());
    returned.pin(kept);
    readTwice(returned, kept);
    unchanged(returned);
  });

  it("values of something that was changed in place, which one pass would not make again", () => {
    const draft = new Draft();
    const changed = draft.run(gelu, draft.real());
    draft.run(addInPlace, changed, draft.real());
    readTwice(draft, draft.run(neg, changed));
    unchanged(draft);
  });

  it("values whose operand changes during the wait", () => {
    const draft = new Draft();
    const state = draft.real();
    const y = draft.run(gelu, state);
    wait(draft, draft.run(matmul, y, draft.real()));
    draft.run(addInPlace, state, draft.real());
    draft.pin(draft.run(matmul, draft.real(), y));
    unchanged(draft);
  });
});
