/** `neco doctor`: what this machine offers, how fast it is at best, and whether it computes right. */
import type { Command } from "commander";
import { readFileSync } from "node:fs";
import { measurePeaks } from "../../bench/probes.ts";
import type { Peaks } from "../../bench/probes.ts";
import type { Engine } from "../engine/index.ts";
import { isRecord } from "../io/json.ts";
import { NumericError } from "../util/errors.ts";
import { print, writeJson } from "./console.ts";
import { engineChoice, withEngine } from "./engine.ts";
import { packageVersion } from "./program.ts";
import { selfCheck } from "./self-check.ts";
import type { CheckResult } from "./self-check.ts";

/** What the doctor found, as `--json` writes it. */
interface Diagnosis {
  readonly schema: "neco-webgpu/doctor@1";
  readonly versions: Readonly<Record<"neco" | "node" | "dawn" | "platform", string>>;
  readonly adapter: Engine["adapter"];
  readonly subgroups: { readonly min: number; readonly max: number };
  readonly subgroupMatrices: Engine["caps"]["subgroupMatrices"];
  readonly peaks: Peaks;
  readonly numerics: readonly CheckResult[];
  readonly advice: readonly string[];
}

/** Adds `neco doctor`. */
export function addDoctor(program: Command): void {
  program
    .command("doctor")
    .description("tell adapter, limits, measured peaks and whether the numerics are right")
    .option("--json <file>", "write it as JSON too (- for standard output)")
    .addHelpText(
      "after",
      "\nExit code 1 if nothing here can run neco; the message says what to do.\n\nExamples:\n  neco doctor\n  neco doctor --adapter swiftshader --json doctor.json",
    )
    .action(async (options: { json?: string }, command: Command) => {
      const found = await withEngine(engineChoice(command), diagnose);
      if (options.json !== "-") for (const line of render(found)) print(line);
      if (options.json !== undefined) await writeJson(options.json, found);
      const wrong = found.numerics.filter(({ ok }) => !ok);
      if (wrong.length > 0)
        throw new NumericError(
          `this adapter computes wrongly (${wrong.map(({ name }) => name).join(", ")}): update its driver, or use another with --adapter lavapipe or --adapter swiftshader`,
        );
    });
}

async function diagnose(engine: Engine): Promise<Diagnosis> {
  const numerics = await selfCheck(engine);
  const { adapter, caps } = engine;
  return {
    schema: "neco-webgpu/doctor@1",
    versions: {
      neco: packageVersion(),
      node: process.versions.node,
      dawn: dawnVersion(),
      platform: `${process.platform} ${process.arch}`,
    },
    adapter,
    subgroups: { min: caps.subgroupMin, max: caps.subgroupMax },
    subgroupMatrices: caps.subgroupMatrices,
    peaks: await measurePeaks(engine),
    numerics,
    advice: adviceFor(engine),
  };
}

/** What would serve this adapter better. */
export function adviceFor({ adapter, caps }: Pick<Engine, "adapter" | "caps">): string[] {
  const advice: string[] = [];
  if (adapter.kind === "swiftshader")
    advice.push(
      "SwiftShader runs on the CPU: `npm run setup:lavapipe` brings one about 5 times faster",
    );
  else if (adapter.kind !== "gpu")
    advice.push("this adapter runs on the CPU: for a GPU, install its Vulkan driver");
  if (/nvidia/i.test(adapter.vendor) && !caps.features.has("shader-f16"))
    advice.push(
      "NECO_UNSAFE_GPU=1 turns on half floats and subgroup matrices, which Dawn holds back on NVIDIA for driver defects (crbug.com/42251215)",
    );
  if (!caps.features.has("timestamp-query"))
    advice.push("no timestamp-query: `neco bench` uses wall time");
  return advice;
}

const matricesText = (matrices: Diagnosis["subgroupMatrices"]): string =>
  matrices
    .map(({ component, result, m, n, k }) => `${component} to ${result} ${m}×${n}×${k}`)
    .join(", ") || "none";

function render(found: Diagnosis): string[] {
  const { versions, adapter, subgroups, peaks, numerics, advice } = found;
  const rate = ({ rate, variant }: Peaks["fma"], unit: string): string =>
    `${rate.toPrecision(3)} ${unit} (${variant})`;
  return [
    `neco        ${versions.neco}, Node ${versions.node}, Dawn (webgpu ${versions.dawn}), ${versions.platform}`,
    `adapter     ${adapter.description}`,
    `vendor      ${adapter.vendor || "unknown"}, architecture ${adapter.architecture || "unknown"}`,
    `features    ${adapter.features.join(", ")}`,
    `half floats ${adapter.features.includes("shader-f16") ? "yes: neco train --fp16" : "no: neco train --fp16 is refused"}`,
    `subgroups   ${subgroups.max === 0 ? "none" : `${subgroups.min} to ${subgroups.max} lanes`}`,
    `matrices    ${matricesText(found.subgroupMatrices)}`,
    "limits",
    ...Object.entries(adapter.limits).map(([name, value]) => `  ${name.padEnd(34)} ${value}`),
    "peaks, measured now",
    `  multiply-add       ${rate(peaks.fma, "GFLOP/s")}`,
    `  copy in a kernel   ${rate(peaks.copy, "GB/s")}`,
    `  copy by the driver ${rate(peaks.bufferCopy, "GB/s")}`,
    "numerics, against float64",
    ...numerics.map(
      ({ name, error, allowed, ok }) =>
        `  ${ok ? "ok   " : "WRONG"} ${name.padEnd(24)} off by ${error.toExponential(1)}, allowed ${allowed.toExponential(1)}`,
    ),
    ...advice.map((line) => `advice      ${line}`),
  ];
}

function dawnVersion(): string {
  const url = new URL("package.json", import.meta.resolve("webgpu"));
  const parsed: unknown = JSON.parse(readFileSync(url, "utf8"));
  return isRecord(parsed) && typeof parsed["version"] === "string" ? parsed["version"] : "unknown";
}
