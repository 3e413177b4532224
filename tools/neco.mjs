#!/usr/bin/env node
/** The `neco` command: lets Node read the TypeScript sources, then hands over to src/cli/main.ts. */
import { register } from "tsx/esm/api";

register();
await import("../src/cli/main.ts");
