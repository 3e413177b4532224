/** The list of subcommands; each stands in a file of its own. */
import type { AddCommand } from "./program.ts";
import { addReport } from "./report.ts";

/** In the order of `neco --help`. */
export const COMMANDS: readonly AddCommand[] = [addReport];
