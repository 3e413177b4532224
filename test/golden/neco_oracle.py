"""Float64 oracle of NECO, ViM, Mahalanobis, the metrics and neural collapse, written from the formulas.

ood_oracle.py and logit_oracle.py have the other scores. Sizes come from the arrays; nothing here knows a regime.
"""

import numpy as np
from scipy import linalg
from sklearn import metrics
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from ood_oracle import further_scores, nearest_class, whitener

RCOND = 1e-6
NECO_DENOMINATORS = {
    "official": ("standardised", "raw"),
    "paper": ("raw",),
    "paper-centred": ("raw",),
}


# ---------------------------------------------------------------- scores


def neco_space(h, mode):
    """Returns (transform to all D components, denominators by name, explained variance ratio)."""
    if mode == "official":
        scaler = StandardScaler().fit(h)
        pca = PCA(n_components=h.shape[1], svd_solver="full").fit(scaler.transform(h))
        project = lambda x: pca.transform(scaler.transform(x))
        denominators = {
            "standardised": lambda x: np.linalg.norm(scaler.transform(x), axis=1),
            "raw": lambda x: np.linalg.norm(x, axis=1),
        }
    else:
        pca = PCA(n_components=h.shape[1], svd_solver="full").fit(h)
        project = pca.transform if mode == "paper-centred" else lambda x: x @ pca.components_.T
        denominators = {"raw": lambda x: np.linalg.norm(x, axis=1)}
    return project, denominators, pca.explained_variance_ratio_


def auto_dim(ratio):
    return min(int(np.argmax(np.cumsum(ratio) >= 0.90)) + 1, len(ratio) - 1)


def log_softmax_max(z):
    """log max p without saturation: −log1p(Σ of the others)."""
    order = np.sort(z, axis=1)
    others = np.exp(order[:, :-1] - order[:, -1:]).sum(1)
    return -np.log1p(others)


def energy(z):
    order = np.sort(z, axis=1)
    return order[:, -1] + np.log1p(np.exp(order[:, :-1] - order[:, -1:]).sum(1))


def reach(values, cut):
    """λmax over λcut, the largest eigenvalue that a principal space of `cut` directions leaves out.

    Where rounding of f32 features is larger than that, the directions beyond the cut are rounding.
    """
    return float(values[0] / max(values[cut], values[0] * 1e-300))


def residual_scores(h, w, b, logits):
    """Residual and ViM: (scores, what was chosen, λmax/λcut)."""
    origin = -np.linalg.pinv(w, rcond=RCOND) @ b
    dim = h.shape[1]
    principal = 512 if dim > 512 else max(1, dim // 2)
    second = (h - origin).T @ (h - origin) / len(h)
    values, vectors = linalg.eigh(second)
    rest = vectors[:, ::-1][:, principal:]
    residual = lambda x: np.linalg.norm((x - origin) @ rest, axis=1)
    lengths = residual(h)
    # A residual that is only rounding of the features has no scale: docs/methods.md, edge cases.
    is_rounding = lengths.mean() <= 1e-5 * np.sqrt((np.linalg.norm(h - origin, axis=1) ** 2).mean())
    alpha = 0.0 if is_rounding else logits(h).max(1).mean() / lengths.mean()
    scores = {
        "residual": lambda x: -residual(x),
        "vim": lambda x: energy(logits(x)) - alpha * residual(x),
    }
    return scores, {"dim": principal, "alpha": alpha}, reach(values[::-1], principal)


def neco_scores(h, logits, variants):
    """NECO with and without the logit: (scores, chosen d, λmax/λcut), by mode/choice/denominator.

    variants: d by name for each mode, a number or "auto".
    """
    scores, chosen, reaches = {}, {}, {}
    for mode, dims in variants.items():
        project, denominators, ratio = neco_space(h, mode)
        found = {name: auto_dim(ratio) if d == "auto" else d for name, d in dims.items()}
        chosen[mode] = found
        for choice, dim in found.items():
            for name in NECO_DENOMINATORS[mode]:
                score = lambda x, p=project, d=dim, n=denominators[name]: (
                    np.linalg.norm(p(x)[:, :d], axis=1) / n(x)
                )
                key = f"{mode}/{choice}/{name}"
                scores[f"neco-nologit/{key}"] = score
                scores[f"neco/{key}"] = lambda x, s=score: s(x) * logits(x).max(1)
                reaches[f"neco-nologit/{key}"] = reaches[f"neco/{key}"] = reach(ratio, dim)
    return scores, chosen, reaches


def all_scores(sets, weight, bias, variants, exact=False):
    """(score functions by name, what was chosen, λmax/λcut by name, logits).

    variants: of NECO, as neco_scores takes them. exact: KL-Matching through mpmath.
    """
    h, y = sets["train"][0].astype(np.float64), sets["train"][1]
    w = weight.astype(np.float64)
    b = np.zeros(len(w)) if bias is None else bias.astype(np.float64)
    logits = lambda x: x @ w.T + b
    scores, chosen, reaches = {}, {}, {}
    scores["msp"] = lambda x: log_softmax_max(logits(x))
    scores["maxlogit"] = lambda x: logits(x).max(1)
    scores["energy"] = lambda x: energy(logits(x))
    found, chosen["vim"], ratio = residual_scores(h, w, b, logits)
    scores |= found
    reaches |= {"residual": ratio, "vim": ratio}
    mu = np.stack([h[y == c].mean(0) for c in range(len(w))])
    whiten, ratio = whitener(h - mu[y], RCOND)
    scores["mahalanobis"] = lambda x: -nearest_class(x, mu, whiten)
    reaches["mahalanobis"] = ratio
    chosen["mahalanobis"] = {"rank": whiten.shape[1]}
    found, chosen["neco"], ratios = neco_scores(h, logits, variants)
    scores |= found
    reaches |= ratios
    further, chosen["further"], ratios = further_scores(h, y, w, b, RCOND, exact)
    return scores | further, chosen, reaches | ratios, logits


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
    order = np.argsort(values)[::-1][: min(count - 1, len(values))]
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
    classes = len(w)
    nearest = np.concatenate([
        np.linalg.norm(part[:, None] - means[None], axis=2).argmin(1)
        for part in np.array_split(h, max(1, h.size * classes // 2**24))
    ])
    predicted = logits(h).argmax(1)
    result = {
        "nc1": trace / classes,
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
        joint = nc1([(h, y), (ood, np.full(len(ood), classes))], both, centre)
        result["with_ood"][name] = {
            "nc1": joint / (classes + 1),
            "nc2": {
                "equinorm_means": equinorm(both - centre),
                "equiangularity_means": equiangularity(both - centre),
                **weights,
            },
        }
        own = class_means(ood, labels)
        result["ood_only"][name] = {"nc1": nc1([(ood, labels)], own, own.mean(0)) / len(own)}
    return result
