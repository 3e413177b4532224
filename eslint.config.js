import tseslint from "typescript-eslint";
import tsdoc from "eslint-plugin-tsdoc";

/** The house rules that a machine can hold; the others are in docs/architecture.md. */
export default tseslint.config(
  {
    ignores: ["node_modules", "dist", "runs", "demo/web", "tools/*.mjs", "*.js", "*.cjs"],
  },
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    plugins: { tsdoc },
    languageOptions: { parserOptions: { project: ["./tsconfig.node.json", "./tsconfig.json"] } },
    rules: {
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "@typescript-eslint/restrict-template-expressions": [
        "error",
        { allowNumber: true, allowBoolean: true },
      ],
      "@typescript-eslint/explicit-module-boundary-types": "error",
      "@typescript-eslint/no-non-null-assertion": "error",
      "@typescript-eslint/no-unnecessary-type-parameters": "off",
      "@typescript-eslint/consistent-type-imports": "error",
      "tsdoc/syntax": "error",
      "max-lines": ["error", { max: 250, skipBlankLines: true, skipComments: true }],
      "max-lines-per-function": [
        "error",
        { max: 45, skipBlankLines: true, skipComments: true, IIFEs: true },
      ],
      complexity: ["error", 15],
      "no-console": "error",
      "no-restricted-imports": [
        "error",
        {
          patterns: [
            { group: ["wgsl-preprocessor*"], message: "use shaders/lib/wgsl.ts" },
            {
              group: ["fs", "node:*"],
              message: "hosts differ only in src/platform; use #platform",
            },
          ],
        },
      ],
      "no-restricted-globals": ["error", "process", "window", "document", "Buffer"],
    },
  },
  {
    // The doors and the platform are where hosts show.
    files: ["src/platform/**", "src/cli/**", "bench/**", "test/**", "tools/**", "vitest.config.ts"],
    rules: { "no-restricted-imports": "off", "no-restricted-globals": "off" },
  },
  {
    files: ["src/cli/**", "bench/**", "tools/**"],
    rules: { "no-console": "off" },
  },
  { files: ["demo/**"], rules: { "no-restricted-globals": "off" } },
  { files: ["shaders/lib/wgsl.ts"], rules: { "no-restricted-imports": "off" } },
  {
    files: ["test/**"],
    rules: { "max-lines-per-function": "off", "@typescript-eslint/no-non-null-assertion": "off" },
  },
  // WGSL text is long by nature; a shader is one idea.
  { files: ["shaders/**"], rules: { "max-lines-per-function": "off" } },
);
