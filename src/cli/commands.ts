/** The list of subcommands; each stands in a file of its own. */
import { addBench } from "./bench.ts";
import { addData } from "./data.ts";
import { addDemo } from "./demo.ts";
import { addDetect } from "./detect.ts";
import { addDoctor } from "./doctor.ts";
import { addExtract } from "./extract.ts";
import { addNc } from "./nc.ts";
import { addOod } from "./ood-command.ts";
import type { AddCommand } from "./program.ts";
import { addReport } from "./report.ts";
import { addServe } from "./serve.ts";
import { addTrain } from "./train.ts";
import { addTune } from "./tune.ts";

/** In the order of `neco --help`. */
export const COMMANDS: readonly AddCommand[] = [
  addDemo,
  addDoctor,
  addData,
  addTrain,
  addExtract,
  addOod,
  addNc,
  addDetect,
  addReport,
  addBench,
  addTune,
  addServe,
];
