#!/usr/bin/env node
/** The `neco` command: lets Node read the TypeScript sources, then hands over to src/cli/main.ts. */
const tsx = await import("tsx/esm/api").catch(() => {
  process.stderr.write("neco: packages are missing: run `node tools/setup.mjs` first\n");
  process.exit(1);
});
tsx.register();
await import("../src/cli/main.ts");
