/** Versions of what results depend on, for configuration files. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { isRecord } from "../io/json.ts";

/** The version of an installed package, looked up beside its entry point. */
function installed(name: string): string {
  try {
    let folder = dirname(createRequire(import.meta.url).resolve(name));
    while (folder !== dirname(folder)) {
      const parsed: unknown = readPackage(join(folder, "package.json"));
      if (isRecord(parsed) && parsed["name"] === name) return String(parsed["version"]);
      folder = dirname(folder);
    }
  } catch {
    // not installed, or its entry point is hidden: the version stays unknown
  }
  return "unknown";
}

function readPackage(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return null;
  }
}

/** Node, Dawn and the platform. */
export const dependencyVersions = (): Record<string, string> => ({
  node: process.versions.node,
  "webgpu (Dawn)": installed("webgpu"),
  platform: `${process.platform} ${process.arch}`,
});
