/** The bench's pages as a reader and as a parser sees them: complete, self-contained, escaped, honest. */
import { parseHTML } from "linkedom";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareReports } from "../../bench/compare.ts";
import { placeLabels } from "../../bench/html/labels.ts";
import { renderBench, renderPeers } from "../../bench/html/page.ts";
import { pointsOf } from "../../bench/html/roofline.ts";
import { bareLine } from "../../bench/print-compare.ts";
import type { PeersReport } from "../../bench/peers/report.ts";
import { peaks, report, row } from "./sample.ts";

const newDocument = (): Document => parseHTML("<!doctype html><html><body></body></html>").document;

const EVIL = `<img src="x" onerror='1'>&`;
const outcome = {
  version: "1",
  coldMs: 50,
  rounds: [2, 2],
  error: 0,
  failure: null,
  warm: { median: 2, mad: 0, best: 2, samples: 2 },
  agrees: true,
};
const peers: PeersReport = {
  schema: "neco-webgpu/bench-peers@1",
  adapter: report().adapter,
  node: "v20",
  date: "today",
  command: "npm run bench:peers",
  peaks: { before: peaks(), after: null },
  missing: [{ engine: "tfjs-webgpu", why: `not installed: ${EVIL}` }],
  works: [
    {
      work: "small-vit-step",
      title: "small ViT",
      flops: 1,
      bytes: 0,
      tolerance: 1,
      why: "",
      engines: [
        { ...outcome, engine: "neco", against: "neco", ratio: null },
        {
          ...outcome,
          engine: "rival",
          against: "neco",
          agrees: false,
          ratio: { median: 3, mad: 0.5, least: 2, most: 4, rounds: 2 },
        },
      ],
    },
  ],
};

describe("the page of a run", () => {
  const rows = [
    row({ name: "small-vit-step", variant: "program", kind: "workload" }),
    row({
      name: "small-vit-step",
      variant: "eager",
      kind: "workload",
      picked: false,
      bytes: 0,
      intensity: null,
    }),
    row({ name: EVIL, passes: [{ label: EVIL, microseconds: 5, flops: 1, bytes: 1 }] }),
  ];
  const now = report({ rows, command: EVIL });
  const comparison = compareReports(report({ date: EVIL, rows: [...rows, row()] }), now);
  const page = renderBench({ report: now, comparison, peers }, newDocument());
  const document = parseHTML(page).document;
  const text = document.body.textContent;

  test("is one file: no script, no link to another file", () => {
    expect(page).not.toMatch(/<script|<link|https?:\/\/(?!www\.w3\.org)|url\((?!#)/);
  });

  test("escapes what the figures say", () => {
    expect(document.querySelectorAll("img")).toHaveLength(0);
    expect(text).toContain(EVIL);
  });

  test("says in its title that a software adapter's speeds are none of a GPU", () => {
    expect(document.querySelector("title")?.textContent).toBe(
      "neco-webgpu bench on a software adapter, lavapipe: not GPU speeds",
    );
    const { adapter } = report();
    const gpu = report({ adapter: { ...adapter, kind: "gpu", description: "A card" } });
    const real = renderBench({ report: gpu, comparison: null, peers: null }, newDocument());
    expect(real).toContain("<title>neco-webgpu bench on A card</title>");
    expect(real).not.toContain("not GPU speeds");
  });

  test("has every section, and each is led to", () => {
    const ids = [...document.querySelectorAll("h2")].map(({ id }) => id);
    const sections = ["comparison", "roofline", "workloads", "peers", "rows", "passes", "setting"];
    expect(ids).toEqual(sections);
    const links = [...document.querySelectorAll("nav a")].map((link) => link.getAttribute("href"));
    expect(links).toEqual(sections.map((id) => `#${id}`));
  });

  test("has a bar for each mode and each other engine, and marks a wrong result", () => {
    const chart = [...document.querySelectorAll("figure")].find(
      (figure) => figure.querySelector("b")?.textContent === "small-vit-step",
    );
    expect(chart?.querySelectorAll('g[aria-label="bar"] rect')).toHaveLength(3);
    expect(chart?.textContent).toContain("rival");
    expect(chart?.textContent).toContain("wrong result");
  });

  test("draws rows with both counts, below both roofs", () => {
    expect(pointsOf(rows)).toHaveLength(2);
    const [plot] = [...document.querySelectorAll("section figure")];
    expect(plot?.querySelectorAll('g[aria-label="dot"] circle')).toHaveLength(2);
    expect(plot?.querySelectorAll('g[aria-label="line"] path')).toHaveLength(2);
    expect(plot?.textContent).toMatch(/FMA peak 40\.0 GFLOP\/s/);
  });

  test("says which code it was on which processor, if the run does", () => {
    expect(text).toContain("not known");
    const origin = { commit: "9f78d74+changes", cpu: { model: EVIL, count: 2 } };
    for (const told of [
      renderBench({ report: report(origin), comparison: null, peers: null }, newDocument()),
      renderPeers({ ...peers, ...origin }, newDocument()),
    ]) {
      const setting = parseHTML(told).document.querySelector("#setting")?.parentElement;
      expect(setting?.textContent).toContain("9f78d74+changes");
      expect(setting?.textContent).toContain(`2 × ${EVIL}`);
    }
  });

  test("shows programs beside bare loops, also where no variants took turns", () => {
    const side = { median: 6, mad: 0.5, best: 5, samples: 20 };
    const ratio = { median: 1.25, mad: 0.1, least: 1, most: 2, rounds: 20 };
    const line = { name: "vit", shape: "[2]", variant: "program", dispatches: 174 };
    const bare = [{ ...line, replayed: { ...side, median: 7.5 }, bare: side, ratio }];
    const told = renderBench(
      { report: report({ turns: [], bare }), comparison: null, peers: null },
      newDocument(),
    );
    const body = parseHTML(told).document.querySelector("#turns")?.parentElement;
    expect(body?.textContent.replace(/\s+/g, " ")).toMatch(
      /174 ?7.50 ± 0.50 ?6.00 ± 0.50 ?1.25 ± 0.10/,
    );
    expect(bareLine(bare[0]!)).toMatch(
      /^vit \[2\]: host time of a replayed pass 7.50 ± 0.50 µs, of a bare one 6.00 ± 0.50 µs, ratio 1.25 ± 0.10 \(/,
    );
  });

  test("names rows of one run alone, and what is missing", () => {
    expect(text).toMatch(/Rows only in the old run: 1/);
    expect(text).toMatch(/tfjs-webgpu: not installed/);
  });

  test("leaves out what was not measured", () => {
    const bare = renderBench(
      { report: report({ rows: [], peaks_after: null }), comparison: null, peers: null },
      newDocument(),
    );
    const ids = [...parseHTML(bare).document.querySelectorAll("h2")].map(({ id }) => id);
    expect(ids).toEqual(["rows", "setting"]);
  });
});

test("works of the peers that are no workload of the run keep their charts", () => {
  const page = renderBench({ report: report(), comparison: null, peers }, newDocument());
  const titles = [...parseHTML(page).document.querySelectorAll("figcaption b")];
  expect(titles.map(({ textContent }) => textContent)).toContain("small ViT");
});

test("the peers' page has ratios, verdicts and who is missing", () => {
  const document = parseHTML(renderPeers(peers, newDocument())).document;
  const text = document.body.textContent.replace(/\s+/g, " ");
  expect(text).toContain("3.00 ± 0.50, wrong result");
  expect(text).toContain("DISAGREES");
  const heads = [...(document.querySelector("table")?.querySelectorAll("thead th") ?? [])];
  expect(heads.map(({ textContent }) => textContent)).toEqual([
    ...["work", "ours, ms", "with transfers, ms", "rate", "of FMA peak", "rival"],
  ]);
  expect(text).toContain("Missing on this machine");
  expect(document.querySelectorAll("img")).toHaveLength(0);
});

test("labels lie on no other label, in the box, the first points first", () => {
  const box = { left: 0, right: 400, top: 0, bottom: 300 };
  const style = { letter: 5, height: 10, radius: 6, box };
  const point = fc.record({
    x: fc.integer({ min: 0, max: 400 }),
    y: fc.integer({ min: 0, max: 300 }),
    text: fc.constantFrom("a", "matmul", "small-vit-step"),
  });
  fc.assert(
    fc.property(fc.array(point, { maxLength: 40 }), (points) => {
      const boxes = placeLabels(points, style).map(({ x, y, text, anchor }) => {
        const left = anchor === "start" ? x : x - 5 * text.length;
        return { left, right: left + 5 * text.length, top: y - 5, bottom: y + 5 };
      });
      for (const [k, a] of boxes.entries()) {
        expect(a.left >= 0 && a.right <= 400 && a.top >= 0 && a.bottom <= 300).toBe(true);
        for (const b of boxes.slice(k + 1))
          expect(a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom).toBe(
            false,
          );
      }
    }),
  );
  const middle = { x: 100, y: 100, text: "first" };
  expect(placeLabels([middle, { ...middle, text: "second" }], style)[0]?.text).toBe("first");
  expect(placeLabels([middle], style)).toEqual([
    { x: 106, y: 100, text: "first", anchor: "start" },
  ]);
});
