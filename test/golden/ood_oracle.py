"""Float64 oracle of the scores of features beyond NECO, ViM and Mahalanobis, written from their formulas.

Every function returns a score (higher = more in-distribution) for rows x; neco_oracle.py calls them.
"""

import numpy as np
from scipy import linalg

from logit_oracle import (
    energy,
    entropy,
    gen,
    gradnorm,
    klmatching,
    klmatching64,
    log_odds,
    log_softmax,
    openmax,
    temperature,
)


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def kept(width, percentile):
    """At least one, as docs/methods.md states for features of few dimensions."""
    return max(1, width - round(width * percentile / 100))  # Python rounds half to even too


def top_mask(x, percentile):
    """1 for the k largest of a row; equals of the k-th largest share what is left of the k."""
    k = kept(x.shape[1], percentile)
    least = np.sort(x, axis=1)[:, -k][:, None]
    above, equal = x > least, x == least
    left = k - above.sum(1, keepdims=True)
    return above + equal * (left / equal.sum(1, keepdims=True)), k


def sharpening(x, mask):
    return np.exp(np.clip(x.sum(1) / (x * mask).sum(1), -20, 20))[:, None]


def ash_b(x, percentile=65):
    mask, k = top_mask(x, percentile)
    return mask * x.sum(1, keepdims=True) / k


def ash_p(x, percentile=65):
    return x * top_mask(x, percentile)[0]


def ash_s(x, percentile=65):
    mask, _ = top_mask(x, percentile)
    return x * mask * sharpening(x, mask)


def scale(x, percentile=85):
    return x * sharpening(x, top_mask(x, percentile)[0])


def dice(w, mean, percentile=90):
    contributions = w * mean
    return np.where(contributions > np.percentile(contributions, percentile), w, 0)


def nusa(x, w, rcond):
    _, values, rows = linalg.svd(w, full_matrices=False)
    basis = rows[values > rcond * values[0]]
    if len(basis) == x.shape[1]:
        return np.ones(len(x))  # W sees all directions; float64 would rank its own rounding
    return np.linalg.norm(x @ basis.T, axis=1) / np.linalg.norm(x, axis=1)


def fdbd(x, z, w, mean):
    own = z.argmax(1)
    rows = np.arange(len(x))
    by_class = {c: np.linalg.norm(w - w[c], axis=1) for c in np.unique(own)}
    gaps = np.stack([by_class[c] for c in own])
    with np.errstate(invalid="ignore"):
        terms = np.abs(z - z[rows, own][:, None]) / gaps
    terms[rows, own] = 0
    return terms.sum(1) / np.linalg.norm(x - mean, axis=1)


def nci(x, z, w, mean, alpha=1e-4):
    centred = x - mean
    along = (w[z.argmax(1)] * centred).sum(1) / np.linalg.norm(centred, axis=1)
    return along + alpha * np.abs(x).sum(1)


def she(x, z, patterns, likeness="inner"):
    own = patterns[z.argmax(1)]
    if likeness == "euclidean":
        return -np.linalg.norm(x - own, axis=1)
    inner = (x * own).sum(1)
    if likeness == "cosine":
        return inner / np.linalg.norm(x, axis=1) / np.linalg.norm(own, axis=1)
    return inner


def right_means(values, y, predicted, fallback):
    """Means by class of the rightly predicted rows; of all its rows where there are none."""
    made = []
    for c in range(len(fallback)):
        own = (y == c) & (predicted == c)
        made.append(values[own].mean(0) if own.any() else fallback[c])
    return np.stack(made)


def knn(x, train, k=50):
    bank, at = unit(train), min(k, len(train)) - 1
    return -np.array([np.sort(((bank - line) ** 2).sum(1))[at] for line in unit(x)])


def nnguide(x, z, train, z_train, k=100, share=0.01):
    rows = min(len(train), max(k, int(np.ceil(share * len(train)))))
    bank = unit(train[:rows]) * energy(z_train[:rows])[:, None]
    likeness = np.sort(unit(x) @ bank.T, axis=1)[:, ::-1]
    return energy(z) * likeness[:, :k].mean(1)


def relation(x, z, train, z_train, power=1):
    ties = np.maximum(unit(x) @ unit(train).T, 0)
    ties = ties * (np.exp(log_softmax(z)) @ np.exp(log_softmax(z_train)).T)
    return np.where(ties > 0.03, ties**power, 0).sum(1)


def whitener(rows, rcond):
    """A with (mean of r rᵀ)⁺ = A Aᵀ, and λmax over the smallest eigenvalue kept."""
    values, vectors = linalg.eigh(rows.T @ rows / len(rows))
    use = values > rcond * values.max()
    return vectors[:, use] / np.sqrt(values[use]), float(values.max() / values[use].min())


def nearest_class(x, mu, whiten):
    """min_c ‖(x − μ_c) A‖²."""
    return np.array([(((line - mu) @ whiten) ** 2).sum(1).min() for line in x])


def further_scores(h, y, w, b, rcond, exact):
    """(scores above as functions of rows x, what was chosen, λmax/λcut), fitted on h [N, D], y [N], W, b."""
    logits = lambda x: x @ w.T + b
    z = logits(h)
    predicted = z.argmax(1)
    mean = h.mean(0)
    mu = np.stack([h[y == c].mean(0) for c in range(len(w))])
    patterns = right_means(h, y, predicted, mu)
    t = temperature(z, y)
    clip = lambda x, low, high: np.clip(x, low, high)
    q = lambda share: np.quantile(h, share)
    masked = dice(w, mean)

    within, within_reach = whitener(h - mu[y], rcond)
    total, total_reach = whitener(h - mean, rcond)
    rmds = lambda x: (((x - mean) @ total) ** 2).sum(1) - nearest_class(x, mu, within)
    sigma = linalg.svdvals(w)
    seen = sigma[sigma > rcond * sigma[0]]
    kl, unknown = (klmatching if exact else klmatching64)(z), openmax(z, y)
    return {
        "entropy": lambda x: entropy(logits(x)),
        "gen": lambda x: gen(logits(x)),
        "temperature": lambda x: log_odds(logits(x) / t),
        "klmatching": lambda x: kl(logits(x)),
        "gradnorm": lambda x: gradnorm(x, logits(x)),
        "react": lambda x: energy(logits(np.minimum(x, q(0.99)))),
        "vra": lambda x: energy(logits(clip(x, q(0.1), q(0.9)))),
        "ash-b": lambda x: energy(logits(ash_b(x))),
        "ash-p": lambda x: energy(logits(ash_p(x))),
        "ash-s": lambda x: energy(logits(ash_s(x))),
        "scale": lambda x: energy(logits(scale(x))),
        "dice": lambda x: energy(x @ masked.T + b),
        "nusa": lambda x: nusa(x, w, rcond),
        "rmds": rmds,
        "she": lambda x: she(x, logits(x), patterns),
        "fdbd": lambda x: fdbd(x, logits(x), w, mean),
        "nci": lambda x: nci(x, logits(x), w, mean),
        "knn": lambda x: knn(x, h),
        "nnguide": lambda x: nnguide(x, logits(x), h, z),
        "relation": lambda x: relation(x, logits(x), h, z),
        "openmax": lambda x: unknown(logits(x)),
    }, {"temperature": t, "kappa": q(0.99)}, {
        "rmds": max(within_reach, total_reach),
        "nusa": float(seen[0] / seen[-1]),
    }
