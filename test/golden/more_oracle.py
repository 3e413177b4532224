"""Float64 oracle of CFOOD, GMM, dropout and ensembles, written from their formulas in docs/methods.md.

What the first three draw or begin with is ours alone, so it is written here a second time: the reference
and the masks by drawn.py, the clusters by the description in src/neco/clusters.ts. scikit-learn fits the
mixture from there.
"""

import numpy as np
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture

from drawn import shuffled, uniforms
from logit_oracle import log_rest, log_softmax

GOLDEN = (np.sqrt(5) - 1) / 2
NEVER_EMPTY = 10 * np.finfo(float).eps  # rows of an empty cluster, as in scikit-learn's turns
MAX_TURNS = 100


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def squares(x, reference):
    return np.stack([((row - reference) ** 2).sum(1) for row in x])


# ---------------------------------------------------------------- CFOOD


def neighbour_grid(count):
    """Shares κ of neighbours and the rank of the neighbour that each names; 0 is the sample itself."""
    shares = np.r_[np.linspace(0.001, 0.1, 100), np.linspace(0.105, 0.5, 81), np.linspace(0.51, 0.99, 49)]
    ranks = (shares * count - 1).astype(int) + 1
    new = np.r_[True, np.diff(ranks) > 0]
    return shares[new], ranks[new]


def cfood(train, k=0.01, alpha=0.1, seed=0):
    """−κ of rows; the reference is a share α of the training rows."""
    rows = sorted(shuffled(len(train), seed)[: max(2, int(alpha * len(train)))])
    reference = unit(train[rows])
    shares, ranks = neighbour_grid(len(reference))
    radii = np.sort(squares(reference, reference), axis=1)[:, ranks]

    def score(x):
        found = []
        for distances in squares(unit(x), reference):
            enough = np.flatnonzero((radii >= distances[:, None]).mean(0) >= k)
            found.append(shares[enough[0]] if len(enough) else 1.0)
        return -np.array(found)

    return score


# ---------------------------------------------------------------- GMM


def seeds(x, wanted):
    """Fewer than wanted where all rows coincide with one."""
    rows = [len(x) // 2]
    nearest = np.full(len(x), np.inf)
    for turn in range(1, wanted):
        nearest = np.minimum(nearest, ((x - x[rows[-1]]) ** 2).sum(1))
        if not nearest.any():
            break
        share = (turn * GOLDEN) % 1
        rows.append(int(np.searchsorted(np.cumsum(nearest), share * nearest.sum(), side="right")))
    return rows


def k_means(x, wanted):
    """Labels and centres; a cluster that loses all rows keeps its centre."""
    centres = x[seeds(x, wanted)]
    labels = squares(x, centres).argmin(1)
    for _ in range(MAX_TURNS):
        centres = np.stack([
            x[labels == c].mean(0) if (labels == c).any() else centre for c, centre in enumerate(centres)
        ])
        found = squares(x, centres).argmin(1)
        if (found == labels).all():
            break
        labels = found
    return labels, centres


def gmm(train, clusters=50, dim=50, regularisation=1e-6):
    """(score of rows, what the fit found)."""
    keep = min(dim, train.shape[1])
    turn = PCA(n_components=keep, svd_solver="full").fit(train).components_.T
    x = train @ turn
    labels, means = k_means(x, min(clusters, len(train)))
    count = len(means)
    rest = x - means[labels]
    within = rest.T @ rest / len(x) + regularisation * np.eye(keep)
    mixture = GaussianMixture(
        n_components=count,
        covariance_type="tied",
        reg_covar=regularisation,
        max_iter=MAX_TURNS,
        weights_init=(np.bincount(labels, minlength=count) + NEVER_EMPTY) / len(x),
        means_init=means,
        precisions_init=np.linalg.inv(within),
    ).fit(x)
    factor = np.linalg.cholesky(mixture.precisions_)

    def score(rows):
        whitened = (rows @ turn) @ factor
        centres = mixture.means_ @ factor
        return np.logaddexp.reduce(np.log(mixture.weights_) - 0.5 * squares(whitened, centres), axis=1)

    return score, {"turns": mixture.n_iter_, "weights": sorted(mixture.weights_.tolist())}


# ---------------------------------------------------------------- means of several predictions


def log_mean_probability(models):
    """log max_c of the mean softmax of logits, models × [N, C]: −log1p of what the others have."""
    log_p = [log_softmax(z) for z in models]
    own = sum(np.exp(p) for p in log_p).argmax(1)
    rows = np.arange(len(own))
    rest = sum(np.exp(log_rest(p)[rows, own]) for p in log_p)
    return np.log1p(-rest / len(models))


def log_mean_logits(models):
    """log max_c of the softmax of the mean logits."""
    return log_softmax(sum(models) / len(models)).max(1)


def dropout(logits, dim, passes=5, rate=0.5, seed=0):
    """Mean softmax over masks that all rows share."""
    masks = np.where(uniforms(passes * dim, seed).reshape(passes, dim) < rate, 0, 1 / (1 - rate))
    masks = masks.astype(np.float32).astype(np.float64)  # features are f32, and so are they
    return lambda x: log_mean_probability([logits(mask * x) for mask in masks])
