/** The page's behaviour: buttons and drawings in, sessions and measurements out. */
import type { ImageDataset } from "../src/data/dataset.ts";
import type { Engine } from "../src/engine/index.ts";
import { classColours } from "../src/report/palette.ts";
import { generator } from "../src/util/random.ts";
import { CloudView } from "./cloud.ts";
import { Curves } from "./curves.ts";
import { dealDigits } from "./digits.ts";
import type { Digits } from "./digits.ts";
import { byId, saveFile } from "./dom.ts";
import { DrawingPad } from "./draw.ts";
import { showExplained, showLegend } from "./legend.ts";
import { readSettings } from "./settings.ts";
import type { Snapshot } from "./snapshot.ts";
import { hideProblem, say, sayProgress, setState, showProblem, showStep } from "./status.ts";
import { Session } from "./train.ts";
import type { SessionEnd, SessionEvents } from "./train.ts";
import { Turns } from "./turns.ts";
import { sayVerdict, showVerdict } from "./verdict.ts";

const button = (id: string): HTMLButtonElement => byId(id, HTMLButtonElement);

/** Everything between the first adapter and the last click. */
export class App {
  private readonly engine: Engine;
  private readonly all: ImageDataset;
  private readonly turns = new Turns();
  private readonly curves = new Curves();
  private readonly cloud: CloudView;
  private readonly pad: DrawingPad;
  private readonly random = generator({ seed: Date.now() >>> 0 });
  private digits: Digits | null = null;
  private session: Session | null = null;
  private snapshot: Snapshot | null = null;
  private drawn: Uint8Array | null = null;
  private isTraining = false;

  /** Wires the page's controls; they are enabled from now on. */
  constructor(engine: Engine, all: ImageDataset) {
    this.engine = engine;
    this.all = all;
    this.cloud = new CloudView(engine, byId("cloud", HTMLCanvasElement));
    this.pad = new DrawingPad(byId("pad", HTMLCanvasElement), (image) => {
      this.drawn = image;
      this.judge().catch(showProblem);
    });
    this.listen();
    button("start").disabled = false;
    setState("ready");
  }

  private get isSoftware(): boolean {
    return this.engine.adapter.kind !== "gpu";
  }

  private listen(): void {
    const on = (id: string, act: () => Promise<void> | void): void => {
      button(id).addEventListener("click", () => {
        Promise.resolve(act()).catch(showProblem);
      });
    };
    byId("settings", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      this.start().catch(showProblem);
    });
    on("pause", async () => {
      if (this.isTraining) this.pause();
      else await this.train();
    });
    on("clear", () => {
      this.pad.clear();
    });
    on("try-known", () => this.show(this.digits?.known));
    on("try-held-out", () => this.show(this.digits?.heldOut));
    on("save-weights", () => {
      const weights = this.session?.weights;
      if (weights) saveFile("vit.safetensors", weights);
    });
    on("save-detector", async () => {
      const bytes = await this.snapshot?.judge.toBytes();
      if (bytes) saveFile("detector.safetensors", bytes);
    });
  }

  /** Trains a fresh model with the form's settings. */
  async start(): Promise<void> {
    const settings = readSettings(this.isSoftware);
    const digits = dealDigits(this.all, settings);
    const colours = classColours(digits.known.classes.length);
    showLegend(digits.known.classes, colours, digits.heldOut.classes);
    this.curves.reset(settings.steps);
    this.digits = digits;
    const events: SessionEvents = {
      onStep: (step) => {
        showStep(step, settings.steps);
      },
      onProgress: sayProgress,
      onMetrics: (row) => {
        this.curves.add(row);
      },
      onSnapshot: (snapshot) => {
        this.measured(snapshot, colours);
      },
    };
    this.session = new Session(
      { engine: this.engine, turns: this.turns },
      digits,
      settings,
      events,
    );
    say("Compiling kernels …");
    await this.train();
  }

  /** Trains on, until the end or a pause. */
  private async train(): Promise<void> {
    const { session } = this;
    if (!session) return;
    hideProblem();
    this.setTraining(true);
    try {
      const end = await session.run();
      this.setTraining(false);
      this.ended(end);
    } catch (error) {
      this.setTraining(false);
      setState("failed");
      say("Training stopped.");
      throw error;
    }
  }

  private pause(): void {
    button("pause").disabled = true; // until the step under way is done
    say("Pausing …");
    this.session?.pause();
  }

  private setTraining(isTraining: boolean): void {
    this.isTraining = isTraining;
    if (isTraining) setState("training");
    button("start").disabled = isTraining;
    button("pause").disabled = !isTraining;
    button("pause").textContent = "Pause";
  }

  private ended(end: SessionEnd): void {
    setState(end.state);
    if (end.state === "paused") {
      say("Paused; Resume goes on from here, Train starts again.");
      button("pause").disabled = false;
      button("pause").textContent = "Resume";
      return;
    }
    const { test, steps } = end.result;
    const accuracy = test
      ? `${(100 * test.accuracy).toFixed(1)} % of ${test.count} test digits`
      : "";
    say(`Done after ${steps} steps: ${accuracy} right.`);
  }

  private measured(snapshot: Snapshot, colours: readonly string[]): void {
    this.snapshot?.judge.dispose();
    this.snapshot = snapshot;
    this.cloud.show(snapshot.cloud, colours);
    this.curves.addCollapse(snapshot.step, snapshot.nc1);
    showExplained(snapshot.cloud.explained, snapshot.step);
    for (const id of ["try-known", "try-held-out", "save-detector", "save-weights"])
      button(id).disabled = false;
    this.judge().catch(showProblem);
  }

  /** Puts a random test image on the pad. */
  private async show(dataset: ImageDataset | undefined): Promise<void> {
    if (!dataset) return;
    const { test } = dataset.splits;
    this.pad.show(await test.images([Math.floor(this.random() * test.count)]));
  }

  /** Judges what is drawn, with the newest measured model. */
  private async judge(): Promise<void> {
    const image = this.drawn;
    if (!image) return;
    if (!this.snapshot) {
      sayVerdict("Nothing to judge it yet: train first.");
      return;
    }
    await this.turns.run(async () => {
      const { snapshot } = this; // the newest when its turn comes
      if (!snapshot || image !== this.drawn) return;
      const [judgement] = await snapshot.judge.judge([image]);
      if (judgement) showVerdict(judgement, snapshot.judge.spec.recall, snapshot.step);
    });
  }
}
