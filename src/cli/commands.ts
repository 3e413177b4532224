/** The list of subcommands; each stands in a file of its own. */
import { addBench } from "./bench.ts";
import { addDoctor } from "./doctor.ts";
import type { AddCommand } from "./program.ts";
import { addReport } from "./report.ts";
import { addServe } from "./serve.ts";

/** In the order of `neco --help`. */
export const COMMANDS: readonly AddCommand[] = [addDoctor, addReport, addBench, addServe];
