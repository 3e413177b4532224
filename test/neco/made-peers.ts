/** Further models of a made regime, heads near its own: what an ensemble has beside it. */
import type { FeatureSource, Head } from "../../src/io/index.ts";
import { bell, columnScale } from "./made-numbers.ts";

/** What further models take from a regime. */
interface PeerRegime {
  readonly seed: number;
  readonly head: number;
  readonly bias: boolean;
  readonly scales?: number;
}

/** Models that an ensemble has beside the regime's own. */
export const PEERS = 2;

/** Logits that a further model has for rows: sums go column by column, since libraries may round products apart. */
export function peerLogits(
  r: PeerRegime,
  head: Head,
  model: number,
): (x: Float32Array) => Float32Array {
  const { dim, classes } = head;
  const apart = bell(r.seed, 40 + 2 * model);
  const biases = bell(r.seed, 41 + 2 * model);
  const weight = head.weight.map(
    (own, index) => own + (0.5 * r.head * apart(index)) / columnScale(r, index % dim),
  );
  const logit = (x: Float32Array, row: number, label: number): number => {
    let total = r.bias ? biases(label) : 0;
    for (let j = 0; j < dim; j++) total += x[row * dim + j]! * weight[label * dim + j]!;
    return total;
  };
  return (x) =>
    Float32Array.from({ length: (x.length / dim) * classes }, (_, index) =>
      logit(x, Math.floor(index / classes), index % classes),
    );
}

/** A source whose rows further models have seen. */
export function withPeers(
  source: FeatureSource,
  all: readonly Float32Array[],
  classes: number,
): FeatureSource {
  const reads = all.map(
    (logits) => (start: number, count: number) =>
      Promise.resolve(logits.slice(start * classes, (start + count) * classes)),
  );
  return { ...source, peerLogits: reads };
}
