/**
 * Bundles the library as a page would and holds its gzipped size against the budget: what is
 * heavier than agreed must be seen when it is written, not when users wait for it.
 */
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { slimShaders } from "./slim-shaders.ts";

const KB = 1000; // bytes
const BUDGETS = [
  { entry: "src/engine/index.ts", kilobytes: 60 },
  // 5 more than once planned: CFOOD, Gaussian mixtures and ensembles take 4.7, so that no method is left out.
  { entry: "src/index.ts", kilobytes: 125 },
] as const;

const results = await Promise.all(
  BUDGETS.map(async ({ entry, kilobytes }) => {
    const { outputFiles } = await build({
      entryPoints: [entry],
      bundle: true,
      minify: true,
      write: false,
      format: "esm",
      platform: "browser",
      conditions: ["browser"],
      target: "es2022",
      plugins: [slimShaders],
      logLevel: "error",
    });
    const bytes = outputFiles.reduce((total, file) => total + file.contents.length, 0);
    const packed = outputFiles.reduce(
      (total, file) => total + gzipSync(file.contents, { level: 9 }).length,
      0,
    );
    return { entry, kilobytes, bytes, packed, ok: packed <= kilobytes * KB };
  }),
);
for (const { entry, kilobytes, bytes, packed, ok } of results)
  console.log(
    `${ok ? "ok  " : "OVER"} ${entry}: ${(packed / KB).toFixed(1)} kB gzip of ${kilobytes} (${(bytes / KB).toFixed(1)} kB minified)`,
  );
if (!results.every(({ ok }) => ok)) {
  console.error(
    "a bundle is over its budget: find what grew, or say in the change why it is worth it",
  );
  process.exitCode = 1;
}
