"""Float64 oracle of NECO, its baselines, the metrics and neural collapse, written from the formulas.

Run by hand: python3 test/golden/make_neco_goldens.py
Writes the feature files under test/fixtures/neco/<regime>/ (f32, numpy .npz: what a user would pass
to `neco ood` and `neco nc`), test/golden/neco-scores.npz (score vectors, f64) and
test/golden/neco.json (metrics, chosen d, alpha, neural collapse). Tests never run it.
"""

import json
import pathlib

import numpy as np
from scipy import linalg
from sklearn import metrics
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from ood_oracle import further_scores

HERE = pathlib.Path(__file__).parent
FIXTURES = HERE.parent / "fixtures" / "neco"
RCOND = 1e-6
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


# ---------------------------------------------------------------- scores


def pinvh(matrix):
    values, vectors = linalg.eigh(matrix)
    keep = values > RCOND * values.max()
    return (vectors[:, keep] / values[keep]) @ vectors[:, keep].T


def neco_space(h, mode):
    """Returns (transform to all D components, denominators by name, explained variance ratio)."""
    if mode == "official":
        scaler = StandardScaler().fit(h)
        pca = PCA(n_components=D, svd_solver="full").fit(scaler.transform(h))
        project = lambda x: pca.transform(scaler.transform(x))
        denominators = {
            "standardised": lambda x: np.linalg.norm(scaler.transform(x), axis=1),
            "raw": lambda x: np.linalg.norm(x, axis=1),
        }
    else:
        pca = PCA(n_components=D, svd_solver="full").fit(h)
        project = pca.transform if mode == "paper-centred" else lambda x: x @ pca.components_.T
        denominators = {"raw": lambda x: np.linalg.norm(x, axis=1)}
    return project, denominators, pca.explained_variance_ratio_


def auto_dim(ratio):
    return min(int(np.argmax(np.cumsum(ratio) >= 0.90)) + 1, D - 1)


def log_softmax_max(z):
    """log max p without saturation: −log1p(Σ of the others)."""
    order = np.sort(z, axis=1)
    others = np.exp(order[:, :-1] - order[:, -1:]).sum(1)
    return -np.log1p(others)


def energy(z):
    order = np.sort(z, axis=1)
    return order[:, -1] + np.log1p(np.exp(order[:, :-1] - order[:, -1:]).sum(1))


def all_scores(sets, weight, bias):
    """Score functions by name, and what was chosen on the way."""
    h, y = sets["train"][0].astype(np.float64), sets["train"][1]
    w = weight.astype(np.float64)
    b = np.zeros(C) if bias is None else bias.astype(np.float64)
    logits = lambda x: x @ w.T + b
    scores, chosen = {}, {}
    scores["msp"] = lambda x: log_softmax_max(logits(x))
    scores["maxlogit"] = lambda x: logits(x).max(1)
    scores["energy"] = lambda x: energy(logits(x))

    origin = -np.linalg.pinv(w, rcond=RCOND) @ b
    principal = D // 2
    second = (h - origin).T @ (h - origin) / len(h)
    vectors = linalg.eigh(second)[1][:, ::-1]
    rest = vectors[:, principal:]
    residual = lambda x: np.linalg.norm((x - origin) @ rest, axis=1)
    alpha = logits(h).max(1).mean() / residual(h).mean()
    scores["residual"] = lambda x: -residual(x)
    scores["vim"] = lambda x: energy(logits(x)) - alpha * residual(x)
    chosen["vim"] = {"dim": principal, "alpha": alpha}

    mu = np.stack([h[y == c].mean(0) for c in range(C)])
    within = (h - mu[y]).T @ (h - mu[y]) / len(h)
    precision = pinvh(within)

    def mahalanobis(x):
        difference = x[:, None, :] - mu[None]
        return -np.einsum("nci,ij,ncj->nc", difference, precision, difference).min(1)

    scores["mahalanobis"] = mahalanobis

    chosen["neco"] = {}
    for mode in ("official", "paper", "paper-centred"):
        project, denominators, ratio = neco_space(h, mode)
        dims = {"auto": auto_dim(ratio), "fixed": FIXED_DIM, "classes": C - 1}
        chosen["neco"][mode] = dims
        for choice, dim in dims.items():
            for name, denominator in denominators.items():
                score = lambda x, p=project, d=dim, n=denominator: (
                    np.linalg.norm(p(x)[:, :d], axis=1) / n(x)
                )
                scores[f"neco-nologit/{mode}/{choice}/{name}"] = score
                scores[f"neco/{mode}/{choice}/{name}"] = lambda x, s=score: s(x) * logits(x).max(1)
    further, chosen["further"] = further_scores(h, y, w, b, RCOND)
    return scores | further, chosen, logits


# ---------------------------------------------------------------- metrics


def ood_metrics(known, unknown):
    """Both conventions; ID positive unless said."""
    label = np.r_[np.ones(len(known)), np.zeros(len(unknown))]
    score = np.r_[known, unknown]
    kept = int(0.95 * len(known))
    threshold = np.sort(known)[::-1][max(kept, 1) - 1] if kept else known.min()
    fpr, tpr, _ = metrics.roc_curve(1 - label, -score, drop_intermediate=False)
    pr_in = metrics.precision_recall_curve(label, score)
    pr_out = metrics.precision_recall_curve(1 - label, -score)
    return {
        "auroc": metrics.roc_auc_score(label, score),
        "fpr_at_95_id_tpr": float((unknown >= threshold).mean()),
        "fpr_at_95_ood_tpr": float(fpr[np.argmax(tpr >= 0.95)]),
        "aupr_in": metrics.auc(pr_in[1], pr_in[0]),
        "aupr_out": metrics.auc(pr_out[1], pr_out[0]),
    }


# ---------------------------------------------------------------- neural collapse


def nc1(groups, means, centre):
    """Trace of Σ_W Σ_B⁺; groups are (features, class index) pairs, means [K, D]."""
    count = len(means)
    spread = means - centre
    between = spread.T @ spread / count
    total = sum(len(h) for h, _ in groups)
    within = sum((h - means[y]).T @ (h - means[y]) for h, y in groups) / total
    values, vectors = linalg.eigh(between)
    order = np.argsort(values)[::-1][: min(count - 1, D)]
    order = order[values[order] > RCOND * values.max()]
    inverse = (vectors[:, order] / values[order]) @ vectors[:, order].T
    return float(np.trace(within @ inverse))


def equinorm(v):
    norms = np.linalg.norm(v, axis=1)
    return float(norms.std(ddof=1) / norms.mean())


def equiangularity(v):
    unit = v / np.linalg.norm(v, axis=1, keepdims=True)
    count = len(v)
    deviation = np.abs(unit @ unit.T + 1 / (count - 1))
    return float((deviation.sum() - np.trace(deviation)) / (count * (count - 1)))


def class_means(h, y):
    return np.stack([h[y == c].mean(0) for c in range(y.max() + 1)])


def neural_collapse(sets, weight, logits):
    h, y = sets["train"][0].astype(np.float64), sets["train"][1]
    w = weight.astype(np.float64)
    means = class_means(h, y)
    centre = means.mean(0)
    spread = means - centre
    trace = nc1([(h, y)], means, centre)
    weights = {"equinorm_weights": equinorm(w), "equiangularity_weights": equiangularity(w)}
    nearest = np.linalg.norm(h[:, None] - means[None], axis=2).argmin(1)
    predicted = logits(h).argmax(1)
    result = {
        "nc1": trace / C,
        "nc1_trace": trace,
        "nc2": {
            "equinorm_means": equinorm(spread),
            "equiangularity_means": equiangularity(spread),
            **weights,
        },
        "nc3": float(((w / np.linalg.norm(w) - spread / np.linalg.norm(spread)) ** 2).sum()),
        "nc4": float((nearest != predicted).mean()),
        "nc5": {},
        "with_ood": {},
        "ood_only": {},
        "accuracy": float((predicted == y).mean()),
    }
    for name in ("near", "far"):
        ood, labels = sets[name][0].astype(np.float64), sets[name][1]
        mean = ood.mean(0)
        cosines = means @ mean / np.linalg.norm(means, axis=1) / np.linalg.norm(mean)
        result["nc5"][name] = float(np.abs(cosines).mean())
        both = np.vstack([means, mean])
        joint = nc1([(h, y), (ood, np.full(len(ood), C))], both, centre)
        result["with_ood"][name] = {
            "nc1": joint / (C + 1),
            "nc2": {
                "equinorm_means": equinorm(both - centre),
                "equiangularity_means": equiangularity(both - centre),
                **weights,
            },
        }
        own = class_means(ood, labels)
        result["ood_only"][name] = {"nc1": nc1([(ood, labels)], own, own.mean(0)) / len(own)}
    return result


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
        scores, chosen, logits = all_scores(sets, weight, bias)
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
            "nc": neural_collapse(sets, weight, logits),
        }
    np.savez_compressed(HERE / "neco-scores.npz", **vectors)
    (HERE / "neco.json").write_text(json.dumps(golden, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
