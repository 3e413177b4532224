"""Golden figures of CFOOD and GMM on the regimes of make_neco_goldens.py; more_oracle.py computes them.

Run by hand after it: python3 test/golden/make_more_scores.py
Writes test/golden/more-scores.npz (score vectors, f64) and test/golden/more-scores.json (metrics, what
the fits found). CFOOD takes the whole training set as its reference here; test/neco/more-scores.gpu.test.ts
has a second oracle, for a tenth. Tests never run it.
"""

import json
import pathlib

import numpy as np

from make_neco_goldens import FIXTURES, ood_metrics
from more_oracle import cfood, gmm, neighbour_grid

HERE = pathlib.Path(__file__).parent
CFOOD = {"cfood": 0.01, "cfood/k=0.05": 0.05}
GMM = {"gmm": (50, 50), "gmm/clusters=6,dim=12": (6, 12)}


def main():
    golden, vectors = {}, {}
    for regime in ("plain", "collapsed", "heavy", "lowrank"):
        load = lambda split: np.load(FIXTURES / regime / f"{split}.npz")["features"].astype(np.float64)
        train = load("train")
        scores = {name: cfood(train, k, alpha=1) for name, k in CFOOD.items()}
        found = {}
        for name, (clusters, dim) in GMM.items():
            scores[name], found[name] = gmm(train, clusters, dim)
        results = {}
        for name, score in scores.items():
            values = {split: score(load(split)) for split in ("test", "near", "far")}
            results[name] = {s: ood_metrics(values["test"], values[s]) for s in ("near", "far")}
            vectors.update({f"{regime}/{name}/{split}": v for split, v in values.items()})
        golden[regime] = {"found": found, "results": results}
    golden["grids"] = {
        str(count): {"shares": shares.tolist(), "ranks": ranks.tolist()}
        for count in (2, 48, 480, 1000)
        for shares, ranks in [neighbour_grid(count)]
    }
    np.savez_compressed(HERE / "more-scores.npz", **vectors)
    (HERE / "more-scores.json").write_text(json.dumps(golden, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
