"""Float64 oracle of the squared error's decomposition (spec section 5), on the committed regimes.

Run by hand: python3 test/golden/make_mse_goldens.py
Writes test/golden/mse.json. Written from the matrices of the definition, block matrix included.
"""

import json
import pathlib

import numpy as np

HERE = pathlib.Path(__file__).parent
FIXTURES = HERE.parent / "fixtures" / "neco"
WEIGHT_DECAYS = [5e-4, 0.1]


def decomposition(h, y, w, b, decay):
    lam = decay / 2
    classes = w.shape[0]
    means = np.stack([h[y == c].mean(0) for c in range(classes)], axis=1)  # [D, C]
    centre = means.mean(1)
    within = np.cov((h - means.T[y]).T, bias=True)
    spread = means - centre[:, None]
    total = within + spread @ spread.T / classes
    a = total + lam / (1 + lam) * np.outer(centre, centre) + lam * np.eye(len(centre))
    w_ls = (means.T - centre / (1 + lam)) / classes @ np.linalg.inv(a)
    b_ls = (np.ones(classes) / classes - w_ls @ centre) / (1 + lam)
    lnc1 = (np.trace(w_ls @ (within + lam * np.eye(len(centre))) @ w_ls.T) + lam * b_ls @ b_ls) / 2
    errors = w_ls @ means + b_ls[:, None] - np.eye(classes)
    bar = np.block([[total + np.outer(centre, centre) + lam * np.eye(len(centre)), centre[:, None]],
                    [centre[None, :], np.array([[1 + lam]])]])
    apart = np.hstack([w - w_ls, (b - b_ls)[:, None]])
    squared = ((h @ w.T + b - np.eye(classes)[y]) ** 2).sum(1).mean()
    return {
        "weight_decay": decay,
        "lnc1": lnc1,
        "lnc2_3": (errors**2).sum() / (2 * classes),
        "l_perp": np.trace(apart @ bar @ apart.T) / 2,
        "loss": (squared + lam * ((w**2).sum() + (b**2).sum())) / 2,
    }


def main():
    golden = {}
    for name in ("plain", "collapsed", "heavy", "lowrank"):
        train, head = np.load(FIXTURES / name / "train.npz"), np.load(FIXTURES / name / "head.npz")
        h, y = train["features"].astype(np.float64), train["labels"]
        w = head["W"].astype(np.float64)
        b = head["b"].astype(np.float64) if "b" in head else np.zeros(len(w))
        golden[name] = [decomposition(h, y, w, b, decay) for decay in WEIGHT_DECAYS]
    (HERE / "mse.json").write_text(json.dumps(golden, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
