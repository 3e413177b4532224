/** Which passes are repetitions, and which only look like it. */
import { describe, expect, it } from "vitest";
import { dropRepeats } from "../../src/engine/repeats.ts";
import { table } from "../../src/kernels/index.ts";
import { Draft, labelsOf } from "./draft.ts";

const { add, addInPlace, gelu, matmul, neg } = table;

const left = ({ recorder, pinned }: Draft): string[] =>
  labelsOf(dropRepeats(recorder.steps, pinned));

describe("dropRepeats", () => {
  it("drops a pass that has the operands of an earlier one, and then what follows it", () => {
    const draft = new Draft();
    const x = draft.real();
    const [first, second] = [
      draft.run(neg, draft.run(gelu, x)),
      draft.run(neg, draft.run(gelu, x)),
    ];
    draft.pin(draft.run(add, first, second));
    expect(left(draft)).toEqual(["gelu", "neg", "add"]);
    const [, , sum] = dropRepeats(draft.recorder.steps, draft.pinned);
    const [a, b] = sum?.uses ?? [];
    expect([a?.virtual, b?.virtual]).toEqual([first.storage.virtual, first.storage.virtual]);
  });

  it("keeps passes with other operands, and what is returned or assigned", () => {
    const draft = new Draft();
    const [x, y, state] = [draft.real(), draft.real(), draft.real()];
    draft.pin(draft.run(add, draft.run(matmul, x, y), draft.run(matmul, y, x)));
    draft.pin(draft.run(gelu, x));
    draft.pin(draft.run(gelu, x));
    const assigned = draft.run(gelu, x);
    draft.assign(state, assigned);
    expect(left(draft)).toEqual(["matmul", "matmul", "add", "gelu", "gelu", "gelu", "copy"]);
  });

  it("keeps a pass whose operand changed since", () => {
    const draft = new Draft();
    const [state, x] = [draft.real(), draft.real()];
    const before = draft.run(gelu, state);
    draft.run(addInPlace, state, x);
    const after = draft.run(gelu, state);
    draft.assign(state, x);
    const last = draft.run(gelu, state);
    draft.pin(draft.run(add, draft.run(add, before, after), last));
    expect(left(draft)).toEqual(["gelu", "addInPlace", "gelu", "copy", "gelu", "add", "add"]);
  });

  it("keeps a value that is changed in place afterwards", () => {
    const draft = new Draft();
    const x = draft.real();
    const changed = draft.run(gelu, x);
    draft.run(addInPlace, changed, x);
    draft.pin(draft.run(add, changed, draft.run(gelu, x)));
    expect(left(draft)).toEqual(["gelu", "addInPlace", "gelu", "add"]);
  });
});
