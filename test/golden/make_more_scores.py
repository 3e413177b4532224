"""Float64 oracle of CFOOD and GMM on the regimes of make_neco_goldens.py, written from the formulas.

Run by hand after it: python3 test/golden/make_more_scores.py
Writes test/golden/more-scores.npz (score vectors, f64) and test/golden/more-scores.json (metrics, what
the fits found). CFOOD takes the whole training set as its reference here: which tenth is drawn is ours,
and test/neco/more-scores.gpu.test.ts has its own oracle for that. GMM starts from the clusters that
src/neco/clusters.ts describes, and scikit-learn does the rest. Tests never run it.
"""

import json
import pathlib

import numpy as np
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture

from make_neco_goldens import FIXTURES, ood_metrics

HERE = pathlib.Path(__file__).parent
GOLDEN = (np.sqrt(5) - 1) / 2
CFOOD = {"cfood": 0.01, "cfood/k=0.05": 0.05}
GMM = {"gmm": (50, 50), "gmm/clusters=6,dim=12": (6, 12)}


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def squares(x, reference):
    return np.stack([((row - reference) ** 2).sum(1) for row in x])


def neighbour_grid(count):
    """Shares κ of neighbours and the rank of the neighbour that each names; 0 is the sample itself."""
    shares = np.r_[np.linspace(0.001, 0.1, 100), np.linspace(0.105, 0.5, 81), np.linspace(0.51, 0.99, 49)]
    ranks = (shares * count - 1).astype(int) + 1
    new = np.r_[True, np.diff(ranks) > 0]
    return shares[new], ranks[new]


def cfood(train, k):
    reference = unit(train)
    shares, ranks = neighbour_grid(len(reference))
    radii = np.sort(squares(reference, reference), axis=1)[:, ranks]

    def score(x):
        found = []
        for distances in squares(unit(x), reference):
            enough = np.flatnonzero((radii >= distances[:, None]).mean(0) >= k)
            found.append(shares[enough[0]] if len(enough) else 1.0)
        return -np.array(found)

    return score


def seeds(x, wanted):
    rows = [len(x) // 2]
    nearest = np.full(len(x), np.inf)
    for turn in range(1, wanted):
        nearest = np.minimum(nearest, ((x - x[rows[-1]]) ** 2).sum(1))
        share = (turn * GOLDEN) % 1
        rows.append(int(np.searchsorted(np.cumsum(nearest), share * nearest.sum(), side="right")))
    return rows


def k_means(x, wanted):
    centres = x[seeds(x, wanted)]
    labels = None
    while True:
        found = squares(x, centres).argmin(1)
        if labels is not None and (found == labels).all():
            return labels
        labels = found
        centres = np.stack([x[labels == c].mean(0) for c in range(wanted)])


def gmm(train, clusters, dim):
    keep = min(dim, train.shape[1])
    turn = PCA(n_components=keep, svd_solver="full").fit(train).components_.T
    x = train @ turn
    labels = k_means(x, clusters)
    means = np.stack([x[labels == c].mean(0) for c in range(clusters)])
    within = (x - means[labels]).T @ (x - means[labels]) / len(x) + 1e-6 * np.eye(keep)
    mixture = GaussianMixture(
        n_components=clusters,
        covariance_type="tied",
        weights_init=np.bincount(labels) / len(x),
        means_init=means,
        precisions_init=np.linalg.inv(within),
    ).fit(x)
    factor = np.linalg.cholesky(mixture.precisions_)

    def score(rows):
        whitened = (rows @ turn) @ factor
        centres = mixture.means_ @ factor
        return np.logaddexp.reduce(np.log(mixture.weights_) - 0.5 * squares(whitened, centres), axis=1)

    return score, {"turns": mixture.n_iter_, "weights": sorted(mixture.weights_.tolist())}


def main():
    golden, vectors = {}, {}
    for regime in ("plain", "collapsed", "heavy", "lowrank"):
        load = lambda split: np.load(FIXTURES / regime / f"{split}.npz")["features"].astype(np.float64)
        train = load("train")
        scores = {name: cfood(train, k) for name, k in CFOOD.items()}
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
