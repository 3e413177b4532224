/** Builds the browser page: bundles demo/main.ts and lays page, style and digits beside it. */
import { copyFileSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { cacheFolder } from "../src/platform/node.ts";
import { slimShaders } from "./slim-shaders.ts";

const ROOT = join(import.meta.dirname, "..");
const DEMO = join(ROOT, "demo");
const DIGITS = ["mnist-10k-images-idx3-ubyte.gz", "mnist-10k-labels-idx1-ubyte.gz"];

/**
 * Builds the page into a folder that any static server may serve.
 * @throws Error if the digits are not packed, or a source does not compile.
 */
export async function buildWeb(folder: string): Promise<void> {
  const packed = join(cacheFolder(), "data", "mnist-10k");
  const missing = DIGITS.find((file) => !existsSync(join(packed, file)));
  if (missing !== undefined)
    throw new Error(`${join(packed, missing)} is missing: run "npm run setup -- --force"`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, "data", "mnist-10k"), { recursive: true });
  await bundle(join(DEMO, "main.ts"), join(folder, "main.js"));
  for (const file of ["index.html", "style.css"])
    copyFileSync(join(DEMO, file), join(folder, file));
  for (const file of DIGITS)
    copyFileSync(join(packed, file), join(folder, "data", "mnist-10k", file));
}

/** Bundles one entry as a page loads it. */
export async function bundle(entry: string, outfile: string): Promise<void> {
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    minify: true,
    sourcemap: true,
    format: "esm",
    platform: "browser",
    conditions: ["browser"],
    target: "es2022",
    plugins: [slimShaders],
    logLevel: "warning",
  });
}

const [, script] = process.argv;
if (script !== undefined && import.meta.url === pathToFileURL(script).href) {
  const folder = join(DEMO, "web");
  try {
    await buildWeb(folder);
    process.stderr.write(`page: ${relative(process.cwd(), folder)}\n`);
  } catch (error) {
    process.stderr.write(`page: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
