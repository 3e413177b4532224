/** The entry point of `neco`. */
import { COMMANDS } from "./commands.ts";
import { endAtSignals } from "./interrupt.ts";
import { runCli } from "./program.ts";

endAtSignals();
// Dawn keeps threads alive that would delay a natural exit.
process.exit(await runCli(process.argv.slice(2), COMMANDS));
