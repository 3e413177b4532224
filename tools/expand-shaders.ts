/** `npm run shaders`: writes shaders/expanded, so that a shader change is a reviewable WGSL diff. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { expandedShaders } from "./expanded.ts";

const folder = new URL("../shaders/expanded/", import.meta.url);
mkdirSync(folder, { recursive: true });
const files = expandedShaders();
for (const name of readdirSync(folder))
  if (name.endsWith(".wgsl") && !files.has(name)) rmSync(new URL(name, folder));
for (const [name, text] of files) writeFileSync(new URL(name, folder), text);
console.log(`${files.size} shaders written to shaders/expanded`);
