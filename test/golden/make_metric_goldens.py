"""Float64 oracle of the metrics beyond ranking figures, written from the definitions, O(n²) where that is plainest.

Run by hand: python3 test/golden/make_metric_goldens.py
Writes test/golden/metrics.json: average precision (scikit-learn), DeLong's variance and test (the
n × m kernel matrix of the 1988 paper), risk–coverage under ties (the mean over shuffles that are all
equally likely, here by ranks), calibration errors, tails of the normal distribution (scipy). Tests
never run it.
"""

import json
import pathlib

import numpy as np
from scipy import special, stats
from sklearn import metrics

HERE = pathlib.Path(__file__).parent
Z = stats.norm.ppf(0.975)


def kernel(id_scores, ood_scores):
    """ψ of DeLong et al.: 1 where ID scores higher, ½ where equal: [n, m]."""
    a, b = np.asarray(id_scores)[:, None], np.asarray(ood_scores)[None, :]
    return (a > b) + 0.5 * (a == b)


def delong(id_scores, ood_scores):
    psi = kernel(id_scores, ood_scores)
    n, m = psi.shape
    auroc = psi.mean()
    se = np.sqrt(psi.mean(1).var(ddof=1) / n + psi.mean(0).var(ddof=1) / m)
    return {"auroc": auroc, "se": se, "low": max(0, auroc - Z * se), "high": min(1, auroc + Z * se)}


def delong_test(a, b):
    first, second = kernel(*a), kernel(*b)
    n, m = first.shape
    s10 = np.cov(first.mean(1), second.mean(1))
    s01 = np.cov(first.mean(0), second.mean(0))
    contrast = np.array([1, -1])
    se = np.sqrt(contrast @ (s10 / n + s01 / m) @ contrast)
    difference = first.mean() - second.mean()
    z = difference / se
    return {
        "difference": difference,
        "low": difference - Z * se,
        "high": difference + Z * se,
        "z": z,
        "p": 2 * stats.norm.sf(abs(z)),
    }


def precision(id_scores, ood_scores):
    y = np.r_[np.ones(len(id_scores)), np.zeros(len(ood_scores))]
    s = np.r_[id_scores, ood_scores]
    return {
        "ap_in": metrics.average_precision_score(y, s),
        "ap_out": metrics.average_precision_score(1 - y, -s),
    }


def expected_errors(confidence, right):
    """E[errors among the k most confident], k = 0 … n, over all orders of equal confidences."""
    confidence, right = np.asarray(confidence), np.asarray(right)
    wrong = 1.0 - right
    spread = np.array([wrong[confidence == c].mean() for c in confidence])
    return np.r_[0, np.cumsum(spread[np.argsort(-confidence, kind="stable")])]


def selective(confidence, right):
    n = len(right)
    k = np.arange(1, n + 1)
    aurc = np.mean(expected_errors(confidence, right)[1:] / k)
    best = np.mean(np.cumsum(np.sort(1 - np.asarray(right))) / k)
    return {"aurc": aurc, "eaurc": aurc - best}


def ece_width(confidence, right, bins=15):
    confidence, right = np.asarray(confidence), np.asarray(right)
    total = 0.0
    for b in range(bins):
        inside = (confidence > b / bins) & (confidence <= (b + 1) / bins)
        if b == 0:
            inside |= confidence == 0
        if inside.any():
            total += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    return total


def ece_mass(confidence, right, bins=15):
    """Bins of equally many ranks; within a tie every sample is as right as the tie is on average."""
    confidence, right = np.asarray(confidence), np.asarray(right, float)
    shared = np.array([right[confidence == c].mean() for c in confidence])
    order = np.argsort(confidence, kind="stable")
    n = len(right)
    edges = [b * n // bins for b in range(bins + 1)]
    parts = [order[lo:hi] for lo, hi in zip(edges, edges[1:]) if hi > lo]
    return sum(len(p) / n * abs(shared[p].mean() - confidence[p].mean()) for p in parts)


def main():
    rng = np.random.default_rng(5)
    draw = lambda n, mean, digits: np.round(rng.normal(mean, 1, n), digits)
    ranking = []
    for n, m, digits in [(2, 2, 1), (7, 5, 0), (40, 25, 1), (60, 90, 6)]:
        noise = draw(n, 1.2, digits), draw(m, 0, digits)
        a = noise
        b = tuple(np.round(0.6 * x + 0.8 * rng.normal(0, 1, len(x)), digits) for x in noise)
        ranking.append(
            {
                "a": {"id": list(a[0]), "ood": list(a[1])},
                "b": {"id": list(b[0]), "ood": list(b[1])},
                "precision": precision(*a),
                "delong": delong(*a),
                "test": delong_test(a, b),
            }
        )
    answers = []
    for n, digits in [(1, 2), (5, 1), (37, 1), (120, 6)]:
        confidence = np.round(rng.beta(5, 2, n), digits)
        right = (rng.uniform(size=n) < confidence * 0.9).astype(int)
        answers.append(
            {
                "confidence": list(confidence),
                "right": [int(x) for x in right],
                **selective(confidence, right),
                "ece": ece_width(confidence, right),
                "ece_adaptive": ece_mass(confidence, right),
            }
        )
    edges = np.array([b / 15 for b in range(16)])
    answers.append(
        {
            "confidence": list(edges),
            "right": [b % 2 for b in range(16)],
            **selective(edges, [b % 2 for b in range(16)]),
            "ece": ece_width(edges, [b % 2 for b in range(16)]),
            "ece_adaptive": ece_mass(edges, [b % 2 for b in range(16)]),
        }
    )
    z = [0, 1e-3, 0.5, 1, 1.959963984540054, 2.8, 2.9, 5, 10, 20, 37]
    tails = [{"z": x, "p": float(special.erfc(x / np.sqrt(2)))} for x in z]
    levels = [{"level": q, "z": float(stats.norm.isf((1 - q) / 2))} for q in (0.5, 0.9, 0.95, 0.99)]
    counts = [(1, 0.3), (12, 0.5), (60, 0.9), (400, 0.02), (400, 0.4), (100000, 0.001)]
    binomial = [
        {"n": n, "p": p, "cdf": [float(x) for x in stats.binom.cdf(quantiles(n, p), n, p)], "at": quantiles(n, p)}
        for n, p in counts
    ]
    out = {"ranking": ranking, "answers": answers, "tails": tails, "levels": levels, "binomial": binomial}
    (HERE / "metrics.json").write_text(json.dumps(out, default=float) + "\n")


def quantiles(n, p):
    """Whole numbers at about the 5, 25, 50, 75 and 95 % points."""
    return sorted({int(x) for x in stats.binom.ppf([0.05, 0.25, 0.5, 0.75, 0.95], n, p)})


main()
