/** The command line as a person meets it: help, suggestions, exit codes, one clear line per error. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { CommanderError } from "commander";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { duration, startProgress } from "../../src/cli/console.ts";
import { endingOf, EXIT } from "../../src/cli/exit.ts";
import { list, namedFile, numberIn, oneOf, shard } from "../../src/cli/options.ts";
import { buildProgram, runCli } from "../../src/cli/program.ts";
import { COMMANDS } from "../../src/cli/commands.ts";
import * as errors from "../../src/util/errors.ts";

const TOOL = fileURLToPath(new URL("../../tools/neco.mjs", import.meta.url));
const neco = (...words: string[]): { code: number | null; out: string; err: string } => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [TOOL, ...words], {
    encoding: "utf8",
    timeout: 60_000,
  });
  return { code: status, out: stdout, err: stderr };
};

describe("exit codes", () => {
  test.each([
    [new errors.UsageError("x"), EXIT.usage],
    [new errors.DataError("x"), EXIT.fixable],
    [new errors.FormatError("f", "x"), EXIT.fixable],
    [new errors.AdapterError("x"), EXIT.fixable],
    [new errors.DeviceLostError("x"), EXIT.fixable],
    [new errors.OutOfMemoryError("x"), EXIT.fixable],
    [new errors.NumericError("x"), EXIT.fixable],
    [new errors.NoConvergenceError("svd", 3, 1), EXIT.fixable],
    [new errors.LimitError("x"), EXIT.fixable],
    [new errors.ShapeError("op", "x"), EXIT.fixable],
    [new errors.InterruptedError("x"), EXIT.interrupted],
    [new errors.CompileError("x"), EXIT.internal],
    [new errors.DisposedError("x"), EXIT.internal],
    [new errors.CaptureError("x"), EXIT.internal],
    [new TypeError("x"), EXIT.internal],
    ["thrown text", EXIT.internal],
    [new DOMException("stop", "AbortError"), EXIT.interrupted],
    [new CommanderError(0, "commander.version", "1"), EXIT.done],
    [new CommanderError(1, "commander.unknownOption", "x"), EXIT.usage],
  ])("%s", (error, code) => {
    expect(endingOf(error).code).toBe(code);
  });

  test("a person's mistake is one line; a defect has the stack and says where to report", () => {
    expect(endingOf(new errors.DataError("no such file")).message).toBe("neco: no such file");
    const { message } = endingOf(new TypeError("boom"));
    expect(message).toContain("TypeError: boom");
    expect(message).toContain("please report it");
  });
});

describe("option values", () => {
  test("numbers", () => {
    const parse = numberIn({ min: 1, max: 4, integer: true });
    expect(parse("3")).toBe(3);
    for (const bad of ["0", "5", "2.5", "x", "", " "])
      expect(() => parse(bad)).toThrow(/It must be a whole/);
    expect(numberIn({})("3e-2")).toBe(0.03);
  });
  test("lists, choices, named files, shards", () => {
    expect(list("a, b,,c")).toEqual(["a", "b", "c"]);
    expect(oneOf("on", "off")("on")).toBe("on");
    expect(() => oneOf("on", "off")("maybe")).toThrow(/Use one of on, off/);
    expect(namedFile("svhn=a=b.npz")).toEqual({ name: "svhn", file: "a=b.npz" });
    expect(namedFile("noise")).toEqual({ name: "noise", file: null });
    expect(shard("1/4")).toEqual({ index: 1, count: 4 });
    for (const bad of ["4/4", "-1/2", "1", "a/b"]) expect(() => shard(bad)).toThrow(/0 ≤ i < n/);
  });
});

describe("progress", () => {
  test("without a terminal: a line every ten seconds and at the end", () => {
    const write = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    let time = 0;
    const progress = startProgress("training", 10, { terminal: false, now: () => time });
    for (let step = 1; step <= 10; step++) {
      time += 4000;
      progress.update(step, "loss 1.5");
    }
    progress.stop();
    const lines = write.mock.calls.map(([line]) => String(line));
    write.mockRestore();
    expect(lines).toEqual([
      "training 3/10 loss 1.5, 28 s left\n",
      "training 6/10 loss 1.5, 16 s left\n",
      "training 9/10 loss 1.5, 4 s left\n",
      "training 10/10 loss 1.5, 0 s left\n",
    ]);
  });
  test("a further pass: its own pace, not that of the passes before and the pause between", () => {
    const write = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    let time = 0;
    const progress = startProgress("calibration", 100, { terminal: false, now: () => time });
    for (const [at, done] of [
      [10_000, 100],
      [60_000, 10],
      [70_000, 60],
    ] as const) {
      time = at;
      progress.update(done);
    }
    const lines = write.mock.calls.map(([line]) => String(line));
    write.mockRestore();
    expect(lines).toEqual([
      "calibration 100/100, 0 s left\n",
      "calibration 10/100\n",
      "calibration 60/100, 8 s left\n",
    ]);
  });
  test("durations", () => {
    expect([5, 125, 7200].map(duration)).toEqual(["5 s", "2 min 05 s", "2 h 00 min"]);
  });
});

describe("the command line in process", () => {
  let written = "";
  beforeEach(() => {
    written = "";
    vi.spyOn(process.stderr, "write").mockImplementation((text) => {
      written += String(text);
      return true;
    });
    vi.spyOn(process.stdout, "write").mockImplementation((text) => {
      written += String(text);
      return true;
    });
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  test("no arguments: help and exit 2", async () => {
    expect(await runCli([], COMMANDS)).toBe(EXIT.usage);
    expect(written).toContain("Usage: neco");
  });

  test.each([["reprot"], ["report", "--ouut", "x"], ["report"]])(
    "bad usage %s %s: exit 2",
    async (...words) => {
      expect(await runCli(words, COMMANDS)).toBe(EXIT.usage);
    },
  );

  test("a misspelt command or option is told the nearest", async () => {
    await runCli(["reprot"], COMMANDS);
    expect(written).toContain("Did you mean report?");
    await runCli(["report", "x", "--titel", "y"], COMMANDS);
    expect(written).toContain("Did you mean --title?");
  });

  test("a missing run folder: exit 1 and the way out", async () => {
    expect(await runCli(["report", "/nonexistent/run"], COMMANDS)).toBe(EXIT.fixable);
    expect(written).toMatch(/holds no run .*neco train --out/);
  });

  test("a broken configuration: exit 1 and its name", async () => {
    const folder = mkdtempSync(join(tmpdir(), "neco-cli-"));
    writeFileSync(join(folder, "config.json"), "{ not json");
    expect(await runCli(["report", folder], COMMANDS)).toBe(EXIT.fixable);
    expect(written).toContain("config.json");
  });

  test("an internal error: exit 3", async () => {
    const broken = (program: Command): void => {
      program.command("boom").action(() => {
        throw new TypeError("broken inside");
      });
    };
    expect(await runCli(["boom"], [broken])).toBe(EXIT.internal);
    expect(written).toContain("broken inside");
  });

  test("every command has a description, an example and options with descriptions", () => {
    const program = buildProgram(COMMANDS);
    for (const command of program.commands) {
      let help = "";
      command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
      expect(command.description(), command.name()).not.toBe("");
      expect(help, command.name()).toMatch(/Examples?:\n {2}neco /);
      for (const option of command.options) expect(option.description, option.flags).not.toBe("");
    }
  });
});

describe("the process", () => {
  test("--version prints package.json's and exits 0", () => {
    const parsed: unknown = JSON.parse(
      readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
    );
    const { code, out } = neco("--version");
    expect(code).toBe(0);
    expect(parsed).toMatchObject({ version: out.trim() });
  });
  test("an unknown option ends with 2 on standard error", () => {
    const { code, out, err } = neco("report", "--nope");
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain("unknown option '--nope'");
  });
  test("a dropped option of the reference ends with 2 and its reason", () => {
    const { code, err } = neco("train", "--local_rank", "0");
    expect(code).toBe(2);
    expect(err).toContain("one adapter per run");
  });
});
