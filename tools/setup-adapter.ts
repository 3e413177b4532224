/**
 * Second half of tools/setup.mjs, which needs node_modules: opens an adapter, fetching SwiftShader
 * if there is none. Prints `{"adapter", "files"}` on standard output for setup.mjs to remember.
 */
import { openGpu } from "../src/platform/node.ts";
import { hasSwiftshader, swiftshaderFolder } from "../src/platform/node-swiftshader.ts";
import { AdapterError } from "../src/util/errors.ts";
import { fetchSwiftshader } from "./fetch-swiftshader.ts";

const canFetch = process.platform === "linux" && process.arch === "x64";

const say = (line: string): void => {
  process.stderr.write(`setup: ${line}\n`);
};

try {
  if (process.argv.includes("--swiftshader") && !hasSwiftshader()) fetch(null);
  const { description, kind } = await openGpu().catch((error: unknown) => {
    if (!(error instanceof AdapterError) || hasSwiftshader()) throw error;
    fetch(error);
    return openGpu();
  });
  if (kind === "swiftshader")
    say("using SwiftShader, on the CPU; `npm run setup:lavapipe` gives one about 5 times faster");
  const files = kind === "swiftshader" ? [swiftshaderFolder()] : [];
  process.stdout.write(JSON.stringify({ adapter: description, files }));
  process.exit(0); // Dawn's threads would hold the process
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exit(1);
}

/** Fetches SwiftShader, or rethrows the reason why one is wanted where there is none to fetch. */
function fetch(reason: AdapterError | null): void {
  if (!canFetch) {
    if (reason) throw reason;
    throw new AdapterError("the bundled SwiftShader is for Linux x64 only");
  }
  const wanted = process.env["NECO_ADAPTER"] ?? "auto";
  if (reason && wanted !== "auto" && wanted !== "swiftshader") throw reason;
  say(
    reason && wanted === "auto"
      ? "no GPU and no Vulkan driver; fetching SwiftShader, a driver for the CPU (68 MB, once) …"
      : "fetching SwiftShader (68 MB, once) …",
  );
  fetchSwiftshader(say);
}
