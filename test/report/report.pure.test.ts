/** The report as a reader and as a parser sees it: complete, self-contained, honest about what is missing. */
import { parseHTML } from "linkedom";
import { describe, expect, test } from "vitest";
import { flatten } from "../../src/report/facts.ts";
import { count, figure, percent } from "../../src/report/format.ts";
import { escapeHtml, html } from "../../src/report/html.ts";
import { renderReport, summaryTable, type ReportInput } from "../../src/report/index.ts";
import { classColours } from "../../src/report/palette.ts";
import { bare, sample } from "./sample.ts";

const newDocument = (): Document => parseHTML("<!doctype html><html><body></body></html>").document;
const read = (input: ReportInput): Document =>
  parseHTML(renderReport(input, newDocument())).document;
const text = (input: ReportInput): string => read(input).body.textContent;

describe("report page", () => {
  const page = renderReport(sample, newDocument());
  const document = parseHTML(page).document;

  test("is one file: no script, no link to another file, small", () => {
    expect(page).not.toMatch(/<script|<link|https?:\/\/(?!www\.w3\.org)|url\((?!#)/);
    expect(
      [...document.querySelectorAll("img")].every((image) => image.src.startsWith("data:")),
    ).toBe(true);
    expect(page.length).toBeLessThan(600_000);
  });

  test("escapes what the input says", () => {
    expect(page).toContain("NECO on 8 of 10 digits &lt;&quot;demo&quot;&gt;");
    expect(page).not.toContain('<"demo">');
  });

  test("names metrics in full and never bare", () => {
    for (const name of ["AUROC", "FPR at 95 % ID TPR", "FPR at 95 % OOD TPR"])
      expect(document.body.textContent).toContain(name);
    expect(page).not.toMatch(/FPR ?95/);
  });

  test("prints percents with two decimals and the best in bold", () => {
    const best = [...document.querySelectorAll("strong.best")].map((cell) => cell.textContent);
    expect(best).toContain("97.20"); // mahalanobis, the last and best of the sample, on fashion
    expect(best.every((value) => /^\d+\.\d\d$/.test(value))).toBe(true);
  });

  test("keeps controls out of the main tables", () => {
    const tables = [...document.querySelectorAll("table")];
    const withNoise = tables.filter((table) =>
      table.querySelector("thead")?.textContent.includes("noise"),
    );
    expect(withNoise.length).toBe(2);
    expect(withNoise.every((table) => !table.textContent.includes("fashion"))).toBe(true);
  });

  test("gives n per set, groups and averages", () => {
    const head = document.querySelector("thead")?.textContent ?? "";
    for (const part of ["near OOD", "far OOD", "n = 300", "n = 301", "average"])
      expect(head).toContain(part);
  });

  test("draws every figure as a named image", () => {
    const drawings = [...document.querySelectorAll("figure svg.plot")];
    const names = drawings.map((svg) => svg.getAttribute("aria-label"));
    expect(drawings.every((svg) => svg.getAttribute("role") === "img")).toBe(true);
    for (const name of [
      "ID classes and fashion",
      "NECO value: ID and fashion",
      "ROC: ID against icons",
      "NECO: AUROC against d",
      "NC1: variability within classes",
      "Parts of the squared error",
      "NC5: OOD orthogonality",
      "The limit: a simplex of four classes",
      "Risk against coverage, ID test",
      "Reliability diagram",
      "Loss",
      "Accuracy",
    ])
      expect(names).toContain(name);
  });

  test("intervals stand beside the value and are explained", () => {
    const cells = [...document.querySelectorAll("td small")].map((cell) => cell.textContent);
    expect(new Set(cells)).toEqual(new Set(["[87.10, 99.52]"]));
    expect(text(sample)).toContain("intervals of a stratified bootstrap with 1000 replicates");
  });

  test("the reliability diagram has a bar and a dot per filled bin", () => {
    const svg = document.querySelector('svg[aria-label="Reliability diagram"]');
    expect(svg?.querySelectorAll('g[aria-label="rect"] rect').length).toBe(10);
    expect(svg?.querySelectorAll('g[aria-label="dot"] circle').length).toBe(10);
    expect(text(sample)).toContain("1.23 % (bins of equal width)");
  });

  test("selective risk: in thousandths, the excess in brackets", () => {
    expect(text(sample)).toContain("4.2 (3.1)");
    expect(text(sample)).toContain("200 (12.5)");
  });

  test("the scatter has a coloured dot per ID sample and dots of OOD on top", () => {
    const svg = document.querySelector('svg[aria-label="ID classes and fashion"]');
    const groups = [...(svg?.querySelectorAll('g[aria-label="dot"]') ?? [])];
    expect(groups.map((group) => group.querySelectorAll("circle").length)[0]).toBe(800);
    expect(groups[1]?.getAttribute("fill")).toBe("var(--ood)");
  });

  test("names a software adapter as one", () => {
    expect(text(sample)).toMatch(/Software adapter:\s*llvmpipe/);
  });

  test("says that a run is not in the terminal phase", () => {
    expect(text(sample)).toContain("Not in the terminal phase of training");
    expect(text(sample)).toContain("99.85 %");
  });

  test("lists credits, hashes, seed, versions and skipped methods", () => {
    for (const part of ["CC BY-SA 3.0", "ab".repeat(32), "webgpu", "17", "needs image gradients"])
      expect(text(sample)).toContain(part);
  });

  test("holds up when nearly everything is absent", () => {
    expect(read(bare).querySelectorAll("svg").length).toBe(0);
    expect(read(bare).querySelector("h2")?.textContent).toBe("Configuration and sources");
  });

  test("the same input gives the same page", () => {
    expect(renderReport(sample, newDocument())).toBe(page);
  });
});

test("many classes: colours, but no legend that hides the figure", () => {
  const classes = Array.from({ length: 100 }, (_, label) => `class ${label}`);
  const page = text({ ...bare, pca: { ...sample.pca!, classes } });
  expect(page).toContain("Colours are 100 classes.");
  expect(page).not.toContain("class 42");
});

describe("numbers", () => {
  test("formats", () => {
    expect(percent(0.98765)).toBe("98.77");
    expect(percent(Number.NaN)).toBe("–");
    expect(figure(0.000123456)).toBe("1.23e-4");
    expect(figure(12.3456)).toBe("12.35");
    expect(count(1234567)).toBe("1\u202f234\u202f567");
  });

  test("class colours differ, also for many classes", () => {
    for (const classes of [1, 2, 8, 10, 100])
      expect(new Set(classColours(classes)).size).toBe(classes);
  });

  test("escaping and nesting of markup", () => {
    expect(escapeHtml(`<a href="x">'&'</a>`)).toBe(
      "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;",
    );
    expect(html`<p>${["<"].map((part) => html`${part}`)}${null}${2}</p>`.markup).toBe(
      "<p>&lt;2</p>",
    );
  });

  test("flatten names the way to each value", () => {
    expect(flatten({ a: { b: 1, c: [1, 2] }, d: "x" })).toEqual([
      ["a.b", "1"],
      ["a.c", "[1,2]"],
      ["d", "x"],
    ]);
  });
});

test("terminal summary: metrics in full, averages, best marked, no control", () => {
  if (sample.ood === null) throw new Error("the sample has OOD results");
  const summary = summaryTable(sample.ood, sample.groups);
  expect(summary).toContain("FPR at 95 % ID TPR, percent (lower is better");
  expect(summary).toContain("near OOD avg");
  expect(summary).toMatch(/Mahalanobis .*97\.20\*/);
  expect(summary).toMatch(/of controls, which are in no average\nmethod +noise/);
  expect(summary.split("noise")).toHaveLength(3); // once per metric, in the control tables
  expect(Math.max(...summary.split("\n").map((line) => line.length))).toBeLessThan(140);
});
