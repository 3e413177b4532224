"""Float64 oracle of the scores that see logits only, written from their formulas.

Where float64 itself would cancel (KL-matching on confident samples), mpmath decides.
"""

import mpmath
import numpy as np
from scipy import optimize

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


def entropy(z):
    log_p = log_softmax(z)
    return (np.exp(log_p) * log_p).sum(1)


def gen(z, gamma=0.1, top=100):
    log_p = np.sort(log_softmax(z), axis=1)[:, ::-1]
    terms = np.exp(gamma * (log_p + log_rest(log_p)))
    return -terms[:, :top].sum(1)


def temperature(z_train, y):
    """The T in [0.05, 20] with the least negative log-likelihood."""
    if (z_train.argmax(1) == y).all():
        return 0.05  # without mistakes the loss falls with T down to 0
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
    """−min_c KL(p ‖ d_c), d_c the mean softmax of the rows predicted as c; in 50 digits."""
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


def klmatching64(z_train):
    """The same in float64, as Σ p (d/p − 1 − log(d/p)), whose terms do not cancel."""
    log_p, predicted = log_softmax(z_train), z_train.argmax(1)
    log_means = []
    for c in np.unique(predicted):
        own = log_p[predicted == c]
        mean = np.logaddexp.reduce(own, axis=0) - np.log(len(own))
        peak = mean.argmax()
        mean[peak] = np.log1p(-np.exp(np.delete(mean, peak)).sum())
        log_means.append(mean)
    log_means = np.stack(log_means)

    def score(z):
        out = []
        for line in log_softmax(z):
            u = log_means - line
            excess = np.where(np.abs(u) < 1e-4, u * u / 2 + u**3 / 6, np.expm1(u) - u)
            # d − p (1 + u) where p vanishes beside d.
            terms = np.where(u > 600, np.exp(log_means), np.exp(line) * excess)
            out.append(-terms.sum(1).min())
        return np.array(out)

    return score


def weibull(tail):
    """Maximum likelihood of a tail whose smallest value is moved to 1: (shape, log scale, start).

    None where the values differ by no more than 1e-5 of the largest: two samples, for one, are as
    far from their mean as each other, and only rounding would give such a tail a shape.
    """
    if len(tail) < 2 or tail.max() - tail.min() <= 1e-5 * tail.max():
        return None
    start = tail.min()
    logs = np.log(tail + 1 - start)
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
    alpha = min(alpha, classes)
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
