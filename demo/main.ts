/** The page's entry: opens the adapter, loads the digits, says what is missing. */
import { createEngine } from "../src/engine/index.ts";
import { App } from "./app.ts";
import { loadDigits } from "./digits.ts";
import { byId } from "./dom.ts";
import { prepareForm, startsByItself } from "./settings.ts";
import { clearAdapter, say, setState, showAdapter, showProblem } from "./status.ts";

async function main(): Promise<void> {
  const [engine, digits] = await Promise.all([createEngine(), loadDigits()]);
  showAdapter(engine);
  byId("credit", HTMLElement).textContent = `Data: ${digits.credit}.`;
  prepareForm(digits.classes, engine.adapter.kind !== "gpu");
  const app = new App(engine, digits);
  say("Ready.");
  if (startsByItself()) await app.start();
}

main().catch((error: unknown) => {
  setState("failed");
  say("");
  clearAdapter();
  showProblem(error);
});
