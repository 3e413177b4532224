/** `npm test`: lets Node read the TypeScript sources, then hands over to run-tests.ts. */
const tsx = await import("tsx/esm/api").catch(() => {
  process.stderr.write("test: packages are missing: run `node tools/setup.mjs` first\n");
  process.exit(1);
});
tsx.register();
await import("./run-tests.ts");
