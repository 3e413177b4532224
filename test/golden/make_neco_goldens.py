"""Golden figures of four regimes of features that are kept as files.

Run by hand: python3 test/golden/make_neco_goldens.py
Writes the feature files under test/fixtures/neco/<regime>/ (f32, numpy .npz: what a user would pass
to `neco ood` and `neco nc`), test/golden/neco-scores.npz (score vectors, f64) and
test/golden/neco.json (metrics, chosen d, alpha, neural collapse). Tests never run it.
"""

import json
import pathlib

import numpy as np
from scipy import linalg

from neco_oracle import NECO_DENOMINATORS, all_scores, neural_collapse, ood_metrics

HERE = pathlib.Path(__file__).parent
FIXTURES = HERE.parent / "fixtures" / "neco"
D, C = 32, 6
SIZES = {"train": 480, "test": 200, "near": 120, "far": 120}
FIXED_DIM = 12


# ---------------------------------------------------------------- data


def etf(classes, dim, rng):
    """Simplex vertices of norm 1 in a random orientation: [classes, dim]."""
    basis = linalg.qr(rng.normal(size=(dim, classes)), mode="economic")[0]
    vertices = basis @ (np.eye(classes) - 1 / classes) * np.sqrt(classes / (classes - 1))
    return vertices.T


def regime(name, seed):
    """Feature sets {split: (h, y)} and the head (W, b or None) of one regime."""
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(D, D)) * np.geomspace(1.5, 0.3, D)
    means = rng.normal(size=(C, D)) * 1.6
    offset = rng.normal(size=D) * 2
    weight = means - means.mean(0) + 0.3 * rng.normal(size=(C, D))
    bias = rng.normal(size=C)
    noise = lambda n: rng.normal(size=(n, D)) @ mixing.T * 0.25
    outside = lambda n: rng.normal(size=(n, D)) * 2.2
    if name == "collapsed":
        means = etf(C, D, rng) * 9 + 0.02 * rng.normal(size=(C, D))
        weight = means * 0.9
        bias = None
        axes = linalg.qr(rng.normal(size=(D, D)))[0] * np.geomspace(0.3, 0.01, D)
        noise = lambda n: rng.normal(size=(n, D)) @ axes.T
        outside = lambda n: rng.normal(size=(n, D)) * 1.2
    if name == "heavy":
        noise = lambda n: rng.standard_t(2, size=(n, D)) * 0.8
    if name == "lowrank":
        plane = linalg.qr(rng.normal(size=(D, 20)), mode="economic")[0]
        means, offset = means @ plane @ plane.T, offset @ plane @ plane.T
        weight = weight * 0.5
        inner = noise
        noise = lambda n: inner(n) @ plane @ plane.T
        bias = None

    def known(n):
        y = rng.permutation(np.arange(n) % C)
        return means[y] + offset + noise(n), y

    def near(n):
        y = rng.permutation(np.arange(n) % 3)
        between = 0.5 * (means[y] + means[(y + 2) % C]) + 0.4 * noise(1)
        return between + offset + 1.5 * noise(n), y

    def far(n):
        y = rng.permutation(np.arange(n) % 4)
        return offset + 0.5 * rng.normal(size=(4, D))[y] + outside(n), y

    sets = {"train": known, "test": known, "near": near, "far": far}
    made = {split: make(SIZES[split]) for split, make in sets.items()}
    made = {split: (h.astype(np.float32), y.astype(np.int32)) for split, (h, y) in made.items()}
    return made, weight.astype(np.float32), None if bias is None else bias.astype(np.float32)


# ---------------------------------------------------------------- output


def metric_vectors():
    """Small score lists with ties, of odd sizes, for the pure metric tests."""
    rng = np.random.default_rng(7)
    cases = [
        (rng.normal(1, 1, 37), rng.normal(0, 1, 23)),
        (rng.integers(0, 6, 100) + 1.0, rng.integers(0, 5, 60).astype(float)),
        (np.ones(20), np.ones(20)),
        (np.arange(1.0, 101), np.arange(1.0, 101)),
        (np.array([3.0]), np.array([1.0, 3.0, 5.0])),
        (np.array([0.0, -0.0, 1.0]), np.array([-0.0, 0.0])),
        (rng.integers(-3, 3, 61) / 4, rng.integers(-4, 2, 19) / 4),
    ]
    return [
        {"id": list(known), "ood": list(unknown), "expected": ood_metrics(known, unknown)}
        for known, unknown in cases
    ]


def main():
    golden = {"metrics": metric_vectors(), "regimes": {}}
    vectors = {}
    for seed, name in enumerate(("plain", "collapsed", "heavy", "lowrank")):
        sets, weight, bias = regime(name, 100 + seed)
        folder = FIXTURES / name
        folder.mkdir(parents=True, exist_ok=True)
        for split, (h, y) in sets.items():
            np.savez(folder / f"{split}.npz", features=h, labels=y)
        np.savez(folder / "head.npz", **({"W": weight} if bias is None else {"W": weight, "b": bias}))
        dims = {"auto": "auto", "fixed": FIXED_DIM, "classes": C - 1}
        scores, chosen, reaches, logits = all_scores(
            sets, weight, bias, dict.fromkeys(NECO_DENOMINATORS, dims), exact=True
        )
        results = {}
        for method, score in scores.items():
            values = {s: score(sets[s][0].astype(np.float64)) for s in ("test", "near", "far")}
            results[method] = {s: ood_metrics(values["test"], values[s]) for s in ("near", "far")}
            vectors.update({f"{name}/{method}/{s}": v for s, v in values.items()})
        test_h, test_y = sets["test"]
        golden["regimes"][name] = {
            "chosen": chosen,
            "accuracy": float((logits(test_h.astype(np.float64)).argmax(1) == test_y).mean()),
            "results": results,
            "reaches": reaches,
            "nc": neural_collapse(sets, weight, logits),
        }
    np.savez_compressed(HERE / "neco-scores.npz", **vectors)
    (HERE / "neco.json").write_text(json.dumps(golden, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
