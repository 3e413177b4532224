/** `neco ood` and `neco detect` on feature files: detectors, large files, runs without a result. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { COMMANDS } from "../../src/cli/commands.ts";
import { EXIT } from "../../src/cli/exit.ts";
import { runCli } from "../../src/cli/program.ts";
import { hostArray, loadDoubles, openArrays, storeArrays } from "../../src/io/index.ts";
import { regimeFile } from "../neco/regimes.ts";

const folder = mkdtempSync(join(tmpdir(), "neco-features-"));
const path = (name: string): string => join(folder, name);
const plain = (name: string): string => regimeFile("plain", name);
const readJson = (name: string): unknown => JSON.parse(readFileSync(path(name), "utf8"));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

let written = "";
beforeEach(() => {
  written = "";
  const collect = (text: unknown): boolean => {
    written += String(text);
    return true;
  };
  vi.spyOn(process.stderr, "write").mockImplementation(collect);
  vi.spyOn(process.stdout, "write").mockImplementation(collect);
});
afterEach(() => {
  vi.restoreAllMocks();
});

const SETS = ["--id-test", plain("test"), "--head", plain("head"), "--ood", `far=${plain("far")}`];
const ood = (...words: string[]): Promise<number> =>
  runCli(["ood", "--id-train", plain("train"), ...SETS, ...words], COMMANDS);

/** Features of 2 columns. */
const save = (name: string, values: Float32Array, dim = 2): Promise<void> =>
  storeArrays(path(name), { features: hostArray(values, [values.length / dim, dim]) });

describe("a detector of feature files", () => {
  test("is saved with the sweep beside the results, and judges as the evaluation scored", async () => {
    const detector = path("neco.safetensors");
    const code = await ood(
      ...["--methods", "neco", "--neco-dim", "sweep", "--json", path("ood.json")],
      ...["--scores", path("scores.npz"), "--id-val", plain("test")],
      ...["--save-detector", detector, "--recall", "0.9"],
    );
    expect(written).not.toContain("internal error");
    expect(code).toBe(EXIT.done);
    expect(readJson("ood.json")).toHaveProperty("sweep.sets.far.auroc");
    expect(readJson("ood.json")).toHaveProperty("results.neco.sets.far");
    const words = ["--detector", detector, plain("test"), "--json", path("judged.json")];
    expect(await runCli(["detect", ...words], COMMANDS)).toBe(EXIT.done);
    const { judgements } = readJson("judged.json") as {
      judgements: { score: number; isOod: boolean }[];
    };
    const store = await openArrays(path("scores.npz"));
    const known = await store.find("neco/id");
    const scores = known ? await loadDoubles(known) : [];
    await store.close();
    expect(judgements.map(({ score }) => score)).toEqual([...scores]);
    const kept = judgements.filter(({ isOod }) => !isOod).length;
    expect(kept).toBe(Math.floor(0.9 * judgements.length));
  });

  test("judges 200,000 rows; an empty file beside them is a warning, alone an error", async () => {
    const made = Float32Array.from({ length: 400 }, (_, index) => Math.sin(index * index));
    await save("train.npz", made);
    await save(
      "test.npz",
      made.map((value) => value + 0.01),
    );
    await save(
      "far.npz",
      made.map((value) => 9 * value),
    );
    const head = { W: hostArray(Float32Array.of(1, 0, 0, 1), [2, 2]) };
    await storeArrays(path("head.npz"), head);
    const files = ["train", "test"].flatMap((name) => [`--id-${name}`, path(`${name}.npz`)]);
    const sets = ["--head", path("head.npz"), "--ood", `far=${path("far.npz")}`];
    const detector = path("msp.safetensors");
    const saved = ["--methods", "msp", "--id-val", path("test.npz"), "--save-detector", detector];
    expect(await runCli(["ood", ...files, ...sets, ...saved], COMMANDS)).toBe(EXIT.done);
    const ROWS = 200_000;
    await save(
      "large.npz",
      new Float32Array(2 * ROWS).map((_, index) => Math.sin(index)),
    );
    await save("empty.npz", new Float32Array());
    const judge = ["detect", "--detector", detector, path("empty.npz")];
    expect(await runCli([...judge, path("large.npz"), "--csv", path("all.csv")], COMMANDS)).toBe(
      EXIT.done,
    );
    expect(written).toContain(`warning: ${path("empty.npz")} holds no rows`);
    const lines = readFileSync(path("all.csv"), "utf8").trimEnd().split("\n");
    expect(lines).toHaveLength(1 + ROWS);
    expect(lines.at(-1)).toContain(`large.npz[${ROWS - 1}],`);
    expect(await runCli(judge, COMMANDS)).toBe(EXIT.fixable);
    expect(written).toContain("nothing to judge");
  });

  test("a head given as detector", async () => {
    const words = ["detect", "--detector", plain("head"), plain("test")];
    expect(await runCli(words, COMMANDS)).toBe(EXIT.fixable);
    expect(written).toMatch(/head\.npz: holds no detector/);
  });
});

describe("figures of feature files", () => {
  test("--html draws all, and a page of the JSON beside it is the same", async () => {
    const page = path("page.html");
    const code = await ood("--methods", "neco,msp", "--html", page, "--json", path("all.json"));
    expect(code, written).toBe(EXIT.done);
    const nc = ["nc", "--features", plain("train"), "--head", plain("head")];
    const far = ["--ood", `far=${plain("far")}`];
    expect(await runCli([...nc, ...far, "--json", path("nc.json")], COMMANDS)).toBe(EXIT.done);
    const again = path("again.html");
    const words = [path("all.json"), path("nc.json"), "--out", again];
    expect(await runCli(["report", ...words], COMMANDS), written).toBe(EXIT.done);
    expect(written).not.toContain("not in the results");
    const figuresIn = (file: string): string[] =>
      [...readFileSync(file, "utf8").matchAll(/<svg[^>]* aria-label="([^"]*)"/g)].map(
        ([, name = ""]) => name,
      );
    const own = figuresIn(page);
    for (const name of [
      "ID classes and far",
      "NECO value: ID and far",
      "MSP value: ID and far",
      "ROC: ID against far",
      "Risk against coverage, ID test",
      "Reliability diagram",
      "NECO: AUROC against d",
    ])
      expect(own).toContain(name);
    expect(figuresIn(again).filter((name) => own.includes(name))).toEqual(own);
    expect(figuresIn(again)).toContain("NC5: OOD orthogonality");
    expect(figuresIn(again)).toContain("NC1: variability within classes");
  });
});

test("features alone, without head and labels: what remains is drawn", async () => {
  const values = Float32Array.from({ length: 4 * 400 }, (_, index) => Math.sin(index * index));
  for (const [name, scale] of [
    ["bare-train", 1],
    ["bare-test", 1.1],
    ["bare-far", 3],
  ] as const)
    await save(
      `${name}.npz`,
      values.map((value, index) => (index % 4 === 3 ? scale : 1) * value),
      4,
    );
  const files = ["--id-train", path("bare-train.npz"), "--id-test", path("bare-test.npz")];
  const far = ["--ood", `far=${path("bare-far.npz")}`, "--html", path("bare.html")];
  expect(await runCli(["ood", ...files, ...far], COMMANDS), written).toBe(EXIT.done);
  const page = readFileSync(path("bare.html"), "utf8");
  expect(page).toContain("NECO without MaxLogit: AUROC against d");
  expect(page).toContain("ID classes and far");
  expect(page).toContain("ROC: ID against far");
  expect(page).not.toContain("Reliability diagram");
});

describe("runs without a result", () => {
  test("all methods skipped: the reasons, and exit 1", async () => {
    expect(await ood("--methods", "ensemble")).toBe(EXIT.fixable);
    expect(written).toMatch(/skipped ensemble: needs logits of further models/);
    expect(written).toContain("no method gave a result");
  });

  test("an OOD validation set that is empty or of other columns", async () => {
    await save("none.npz", new Float32Array(), 32);
    await save("narrow.npz", new Float32Array(4));
    for (const [name, message] of [
      ["none", /OOD validation set v \(.*none\.npz\) is empty/],
      ["narrow", /OOD validation set v \(.*narrow\.npz\) has 2 feature columns/],
    ] as const) {
      const sets = ["--id-val", plain("test"), "--ood-val", `v=${path(`${name}.npz`)}`];
      expect(await ood("--methods", "react", "--search", ...sets)).toBe(EXIT.fixable);
      expect(written).toMatch(message);
    }
  });

  test("features beyond f32's squares: which set", async () => {
    await save(
      "huge.npz",
      new Float32Array(64).fill(1e30).map((value, i) => value * (i % 7)),
    );
    const files = ["--id-train", path("huge.npz"), "--id-test", path("huge.npz")];
    const words = [...files, "--ood", `far=${path("huge.npz")}`, "--methods", "mahalanobis,knn"];
    expect(await runCli(["ood", ...words], COMMANDS)).toBe(EXIT.fixable);
    expect(written).toMatch(/ID train \(.*huge\.npz\): moments: column 0 of rows/);
    const wide = new Float32Array(64);
    wide[37] = 1e30;
    await save("wide.npz", wide, 32);
    const nc = ["nc", "--features", plain("train"), "--head", plain("head")];
    expect(await runCli([...nc, "--ood", `o=${path("wide.npz")}`], COMMANDS)).toBe(EXIT.fixable);
    expect(written).toMatch(/o \(.*wide\.npz\): the feature in row 1, column 5 is 1\.00e\+30/);
  });
});
