"""Golden figures of the regimes of made-regimes.json, whose features tests make anew.

Run by hand: /usr/bin/python3 test/golden/make_made_goldens.py
Writes test/golden/made.json (metrics, chosen d, α, λmax/λcut, neural collapse, checksums of the
features) and test/golden/made-scores.npz (scores, f32, by regime). Tests never run it.
"""

import json
import pathlib
import time

import numpy as np

from made_features import REGIMES, checksum, make, peers
from more_oracle import cfood, dropout, gmm, log_mean_logits, log_mean_probability
from neco_oracle import all_scores, neural_collapse, ood_metrics

HERE = pathlib.Path(__file__).parent
MEASURED = ("test", "near", "far")


def neco_variants(r):
    """d by name for each mode: `auto`, a third of D, and C − 1 where it is below D."""
    d, c = r["dim"], r["classes"]
    if r["sizes"][0] < d:
        return {}
    classes = {"classes": c - 1} if c - 1 < d else {}
    if "neco" in r:
        return r["neco"]
    return {
        "official": {"auto": "auto"} | classes,
        "paper": {"fixed": max(1, d // 3)},
        "paper-centred": {"auto": "auto"},
    }


def more_scores(name, train, head, logits):
    """(scores, clusters and turns of the mixtures): of CFOOD, GMM, dropout and ensembles, by name/parameters."""
    models = peers(name, head)
    views = lambda x: [logits(x)] + [m(x.astype(np.float32)).astype(np.float64) for m in models]
    scores = {
        "cfood": cfood(train),
        "cfood/alpha=1,k=0.05,seed=3": cfood(train, k=0.05, alpha=1, seed=3),
        "dropout": dropout(logits, train.shape[1]),
        "dropout/passes=7,rate=0.25,seed=3": dropout(logits, train.shape[1], 7, 0.25, 3),
        "ensemble": lambda x: log_mean_logits(views(x)),
        "ensemble/mean=probabilities": lambda x: log_mean_probability(views(x)),
    }
    found = {}
    for key, choice in {"gmm": {}, "gmm/clusters=6,dim=12": {"clusters": 6, "dim": 12}}.items():
        scores[key], fit = gmm(train, **choice)
        found[key] = {"clusters": len(fit["weights"]), "turns": fit["turns"]}
    return scores, found


def golden(name):
    """(figures, scores [methods, samples of test, near and far]) of a regime."""
    r = REGIMES[name]
    sets, weight, bias = make(name)
    scores, chosen, reaches, logits = all_scores(sets, weight, bias, neco_variants(r))
    train = sets["train"][0].astype(np.float64)
    more, chosen["gmm"] = more_scores(name, train, (weight, bias), logits)
    scores |= more
    results, vectors = {}, []
    for method, score in scores.items():
        values = {s: score(sets[s][0].astype(np.float64)) for s in MEASURED}
        results[method] = {s: ood_metrics(values["test"], values[s]) for s in ("near", "far")}
        vectors.append(np.concatenate([values[s] for s in MEASURED]))
    test_h, test_y = sets["test"]
    arrays = [h for h, _ in sets.values()] + [weight] + ([] if bias is None else [bias])
    arrays += [model(sets[s][0]) for model in peers(name, (weight, bias)) for s in MEASURED]
    return {
        "checksum": checksum(arrays),
        "methods": list(results),
        "chosen": chosen,
        "accuracy": float((logits(test_h.astype(np.float64)).argmax(1) == test_y).mean()),
        "results": results,
        "reaches": reaches,
        "nc": neural_collapse(sets, weight, logits),
    }, np.stack(vectors).astype(np.float32)


def main():
    figures, vectors = {}, {}
    for name in REGIMES:
        start = time.time()
        figures[name], vectors[name] = golden(name)
        print(f"{name}: {time.time() - start:.1f} s")
    np.savez_compressed(HERE / "made-scores.npz", **vectors)
    # One line a regime; 9 digits are a hundred times more than any tolerance asks for.
    short = lambda tree: (
        {k: short(v) for k, v in tree.items()}
        if isinstance(tree, dict)
        else float(f"{tree:.9g}") if isinstance(tree, float) else tree
    )
    rows = [
        f"{json.dumps(name)}: {json.dumps(short(own), sort_keys=True, separators=(',', ':'))}"
        for name, own in figures.items()
    ]
    text = '{"regimes": {\n' + ",\n".join(rows) + "\n}}"
    (HERE / "made.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
