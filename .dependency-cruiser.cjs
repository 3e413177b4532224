/** Layers: imports go down only (docs/architecture.md). */
const layer = (name, from, allowed) => ({
  name,
  severity: "error",
  from: { path: from },
  to: {
    path: "^(src|shaders|bench|demo|test)/",
    pathNot: allowed.map((folder) => `^${folder}/`),
  },
});
module.exports = {
  forbidden: [
    { name: "no-circular", severity: "error", from: {}, to: { circular: true } },
    {
      name: "no-oracles-in-library",
      severity: "error",
      from: { path: "^src/", pathNot: "\\.cases\\.ts$|^src/kernels/cases\\.ts$" },
      to: { path: "\\.cases\\.ts$|^src/kernels/cases\\.ts$" },
    },
    layer("util", "^src/util/", ["src/util"]),
    layer("shaders", "^shaders/", ["shaders", "src/util"]),
    layer("platform", "^src/platform/", ["src/platform", "src/util"]),
    layer("kernels", "^src/kernels/", ["src/kernels", "shaders", "src/util"]),
    layer("engine", "^src/engine/", [
      "src/engine",
      "src/kernels",
      "src/platform",
      "shaders",
      "src/util",
    ]),
    layer("io", "^src/io/", ["src/io", "src/engine", "src/platform", "src/util"]),
    layer("data", "^src/data/", ["src/data", "src/io", "src/platform", "src/util"]),
    layer("linalg", "^src/linalg/", ["src/linalg", "src/engine", "src/util"]),
    layer("report", "^src/report/", ["src/report", "src/util"]),
    layer("vit", "^src/vit/", [
      "src/vit",
      "src/linalg",
      "src/io",
      "src/data",
      "src/report",
      "src/engine",
      "src/platform",
      "src/util",
    ]),
    layer("neco", "^src/neco/", [
      "src/neco",
      "src/linalg",
      "src/io",
      "src/data",
      "src/report",
      "src/engine",
      "src/platform",
      "src/util",
    ]),
    layer("cli", "^src/cli/", ["src", "bench", "shaders"]),
    {
      name: "doors-are-not-imported",
      severity: "error",
      from: { path: "^src/(?!cli/)|^shaders/" },
      to: { path: "^(bench|demo|test|src/cli)/" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "node_modules|demo/web" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.node.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default"],
      extensions: [".ts", ".js", ".mjs"],
    },
  },
};
