/** Neural collapse on the page: one checkpoint's figures, and what is said of the terminal phase. */
import { parseHTML } from "linkedom";
import { describe, expect, test } from "vitest";
import { phaseOf, renderReport, type ReportInput } from "../../src/report/index.ts";
import { bare, sample } from "./sample.ts";

const newDocument = (): Document => parseHTML("<!doctype html><html><body></body></html>").document;
const read = (input: ReportInput): Document =>
  parseHTML(renderReport(input, newDocument())).document;

describe("one checkpoint's collapse", () => {
  const { steps, ...once } = sample.nc!;
  const page = read({ ...bare, nc: once });
  const namesOf = (document: Document): (string | null)[] =>
    [...document.querySelectorAll("figure svg.plot")].map((svg) => svg.getAttribute("aria-label"));

  test("is drawn as dots with their values; numbers alone stay in the table", () => {
    expect(steps?.length).toBeGreaterThan(1);
    expect(namesOf(page)).toEqual([
      "The limit: a simplex of four classes",
      "NC1: variability within classes",
      "NC2: equal norms",
      "NC2: equal angles",
      "NC5: OOD orthogonality",
      "Parts of the squared error",
    ]);
    const nc1 = page.querySelector('svg[aria-label^="NC1"]');
    expect(nc1?.textContent).toContain("ID + fashion");
    expect(nc1?.querySelectorAll("circle").length).toBe(3);
  });

  test("shows the regularised loss where it was measured", () => {
    const loss = {
      ...({ kind: "ce", parameters: "head" } as const),
      ...{ weight_decay: 5e-4, mean: 0.01, penalty: 0.02, total: 0.03 },
    };
    const measured = read({ ...bare, nc: { ...once, loss } });
    expect(namesOf(measured)).toContain("Regularised loss");
    expect(measured.body.textContent).toContain(
      "½ · 5.00e-4 · Σ‖θ‖² over the parameters of the head",
    );
    const sum = measured.querySelector('svg[aria-label="Regularised loss"]');
    expect(sum?.textContent).toContain("0.03");
  });

  test("of zero has no place on a log axis", () => {
    const zero = read({ ...bare, nc: { ...once, nc1: 0, with_ood: {}, ood_only: {} } });
    expect(namesOf(zero)).not.toContain("NC1: variability within classes");
  });
});

describe("terminal phase", () => {
  const nc = sample.nc;
  if (nc === null) throw new Error("the sample has NC metrics");
  const steps = (accuracies: readonly number[]): ReportInput["nc"] => ({
    ...nc,
    steps: accuracies.map((accuracy, index) => ({ ...nc, accuracy, step: 100 * index })),
  });
  test.each([
    ["reached and kept", steps([0.5, 0.9991, 1]), { kind: "terminal", from: 100, to: 200 }],
    ["lost again", steps([0.5, 1, 0.99]), { kind: "before", accuracy: 0.99, step: 200 }],
    ["reached late", steps([1, 0.99, 1]), { kind: "terminal", from: 200, to: 200 }],
    [
      "one checkpoint below",
      { ...nc, accuracy: 0.9, steps: [] },
      { kind: "before", accuracy: 0.9, step: 0 },
    ],
    ["nothing known", null, { kind: "unknown" }],
  ] as const)("%s", (_, input, expected) => {
    expect(phaseOf(input, [])).toEqual(expected);
  });
});
