"""Float64 oracle of the OOD scores beyond NECO, ViM and Mahalanobis, written from their formulas.

Every function returns a score (higher = more in-distribution) for rows x; make_neco_goldens.py
calls them. Where float64 itself would cancel (KL-matching on confident samples), mpmath decides.
"""

import mpmath
import numpy as np
from scipy import linalg, optimize

mpmath.mp.dps = 50


def log_softmax(z):
    """log p, exact for the largest too: −log1p(Σ of the others)."""
    top = z.argmax(1)
    rows = np.arange(len(z))
    below = z - z[rows, top][:, None]
    others = np.exp(below)
    others[rows, top] = 0
    return below - np.log1p(others.sum(1))[:, None]


def log_rest(log_p):
    """log(1 − p), for the largest through the others."""
    rows, top = np.arange(len(log_p)), log_p.argmax(1)
    with np.errstate(divide="ignore"):
        rest = np.log1p(-np.exp(log_p))
    others = np.exp(log_p)
    others[rows, top] = 0
    with np.errstate(divide="ignore"):
        rest[rows, top] = np.log(others.sum(1))
    return rest


def log_odds(z):
    """log(p/(1 − p)) of the largest p."""
    ordered = np.sort(z, axis=1)
    return ordered[:, -1] - np.logaddexp.reduce(ordered[:, :-1], axis=1)


def softplus(x):
    return max(x, 0) + np.log1p(np.exp(-abs(x)))


def energy(z):
    top = z.max(1)
    return top - log_softmax(z).max(1)


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def entropy(z):
    log_p = log_softmax(z)
    return (np.exp(log_p) * log_p).sum(1)


def gen(z, gamma=0.1, top=100):
    log_p = np.sort(log_softmax(z), axis=1)[:, ::-1]
    terms = np.exp(gamma * (log_p + log_rest(log_p)))
    return -terms[:, :top].sum(1)


def temperature(z_train, y):
    """The T in [0.05, 20] with the least negative log-likelihood."""
    rows = np.arange(len(y))
    loss = lambda log_t: -log_softmax(z_train / np.exp(log_t))[rows, y].sum()
    found = optimize.minimize_scalar(
        loss, bounds=(np.log(0.05), np.log(20)), method="bounded", options={"xatol": 1e-9}
    )
    return float(np.exp(found.x))


def gradnorm(x, z):
    p = np.exp(log_softmax(z))
    return np.abs(z.shape[1] * p - 1).sum(1) * np.abs(x).sum(1)


def mp_softmax(z):
    """Rows of (p, log p) in mpmath."""
    rows = []
    for line in z:
        top = max(line)
        total = mpmath.fsum(mpmath.e ** (mpmath.mpf(v) - mpmath.mpf(top)) for v in line)
        logs = [mpmath.mpf(v) - mpmath.mpf(top) - mpmath.log(total) for v in line]
        rows.append(([mpmath.e**log for log in logs], logs))
    return rows


def klmatching(z_train):
    """−min_c KL(p ‖ d_c), d_c the mean softmax of the rows predicted as c."""
    classes = z_train.shape[1]
    predicted = z_train.argmax(1)
    rows = mp_softmax(z_train)
    log_means = {}
    for c in range(classes):
        own = [p for (p, _), label in zip(rows, predicted) if label == c]
        if own:
            log_means[c] = [mpmath.log(mpmath.fsum(col) / len(own)) for col in zip(*own)]

    def score(z):
        return np.array(
            [
                float(
                    -min(
                        mpmath.fsum(a * (l - d) for a, l, d in zip(p, logs, means))
                        for means in log_means.values()
                    )
                )
                for p, logs in mp_softmax(z)
            ]
        )

    return score


def kept(width, percentile):
    return width - round(width * percentile / 100)  # Python rounds half to even too


def top_mask(x, percentile):
    k = kept(x.shape[1], percentile)
    order = np.argsort(-x, axis=1, kind="stable")[:, :k]
    mask = np.zeros_like(x)
    np.put_along_axis(mask, order, 1.0, axis=1)
    return mask, k


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
    return np.linalg.norm(x @ basis.T, axis=1) / np.linalg.norm(x, axis=1)


def fdbd(x, z, w, mean):
    own = z.argmax(1)
    rows = np.arange(len(x))
    gaps = np.linalg.norm(w[None] - w[own][:, None], axis=2)
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
    squares = ((unit(x)[:, None] - unit(train)[None]) ** 2).sum(2)
    return -np.sort(squares, axis=1)[:, min(k, len(train)) - 1]


def nnguide(x, z, train, z_train, k=100, share=0.01):
    rows = min(len(train), max(k, int(np.ceil(share * len(train)))))
    bank = unit(train[:rows]) * energy(z_train[:rows])[:, None]
    likeness = np.sort(unit(x) @ bank.T, axis=1)[:, ::-1]
    return energy(z) * likeness[:, :k].mean(1)


def relation(x, z, train, z_train, power=1):
    ties = np.maximum(unit(x) @ unit(train).T, 0)
    ties = ties * (np.exp(log_softmax(z)) @ np.exp(log_softmax(z_train)).T)
    return np.where(ties > 0.03, ties**power, 0).sum(1)


def weibull(tail):
    """Maximum likelihood of a tail whose smallest value is moved to 1: (shape, log scale, start)."""
    if len(tail) < 2:
        return None
    start = tail.min()
    logs = np.log(tail + 1 - start)
    if not logs.max() > 0:
        return None
    weights = lambda k: np.exp(k * (logs - logs.max()))
    slope = lambda k: (weights(k) * logs).sum() / weights(k).sum() - 1 / k - logs.mean()
    shape = optimize.brentq(slope, 1e-6, 1e9, xtol=1e-14, rtol=1e-14, maxiter=1000)
    scale_log = logs.max() + np.log(weights(shape).mean()) / shape
    return shape, scale_log, start


def beyond(tail, distance):
    """Weibull score of a distance; a class without a tail is never far."""
    if tail is None:
        return 0.0
    shape, scale_log, start = tail
    moved = distance + 1 - start
    return -np.expm1(-np.exp(shape * (np.log(moved) - scale_log))) if moved > 0 else 0.0


def openmax(z_train, y, tail=20, alpha=3):
    """−log p(unknown) after Bendale and Boult; distances of logits, Euclidean."""
    predicted = z_train.argmax(1)
    classes = z_train.shape[1]
    means, tails = [], []
    for c in range(classes):
        own = z_train[(y == c) & (predicted == c)]
        means.append(own.mean(0) if len(own) else np.zeros(classes))
        tails.append(weibull(np.sort(np.linalg.norm(own - means[c], axis=1))[-tail:]))
    means = np.stack(means)

    def score(z):
        out = []
        for line in z:
            kept_logits, unknown = line.copy(), 0.0
            for rank, c in enumerate(np.argsort(-line, kind="stable")[:alpha]):
                w = beyond(tails[c], np.linalg.norm(line - means[c]))
                weight = (alpha - rank) / alpha * w
                unknown += weight * line[c]
                kept_logits[c] = line[c] * (1 - weight)
            out.append(softplus(np.logaddexp.reduce(kept_logits) - unknown))
        return np.array(out)

    return score


def further_scores(h, y, w, b, rcond):
    """All scores above as functions of rows x, fitted on h [N, D], y [N] with the head W, b."""
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

    def pinvh(matrix):
        values, vectors = linalg.eigh(matrix)
        use = values > rcond * values.max()
        return (vectors[:, use] / values[use]) @ vectors[:, use].T

    within = pinvh((h - mu[y]).T @ (h - mu[y]) / len(h))
    total = pinvh((h - mean).T @ (h - mean) / len(h))

    def rmds(x):
        apart = x[:, None] - mu[None]
        own = np.einsum("nci,ij,ncj->nc", apart, within, apart).min(1)
        return -own + np.einsum("ni,ij,nj->n", x - mean, total, x - mean)

    kl, unknown = klmatching(z), openmax(z, y)
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
    }, {"temperature": t, "kappa": q(0.99)}
