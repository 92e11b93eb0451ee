"""Writes test/fixtures/metrics: what scikit-learn, SciPy, PyTorch and numpy make of small random labels and scores, ties among them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from scipy.stats import binom, binomtest
from sklearn.metrics import accuracy_score, average_precision_score, brier_score_loss, f1_score, log_loss
from sklearn.metrics import precision_score, recall_score

OUT = Path(__file__).parent.parent / "fixtures" / "metrics" / "goldens.json"
BINS = 10


def main() -> None:
    OUT.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(4)
    rows = [json.dumps(rows_golden(rng, *shape)) for shape in SHAPES]
    binomial = [json.dumps(binomial_golden(*case)) for case in BINOMIALS]
    lines = ",\n".join
    OUT.write_text(f'{{"rows": [\n{lines(rows)}\n], "binomial": [\n{lines(binomial)}\n]}}\n')


# Rows, share of unsafe ones, and the decimals that logits keep: few decimals make many ties.
SHAPES = [(40, 0.5, 1), (97, 0.2, 0), (150, 0.05, 1), (200, 0.35, 6)]


def rows_golden(rng: np.random.Generator, rows: int, share: float, digits: int) -> dict:
    labels = (rng.random(rows) < share).astype(int)
    labels[:2] = [0, 1]
    logits = rng.normal(0.0, 1.5, (rows, 2)) + np.stack([1 - labels, labels], 1) * 1.8 + np.array([0.7, 0.0])
    # As the engine has them: single precision.
    logits = np.round(logits * rng.choice([1.0, 3.0]), digits).astype(np.float32)
    margins = logits[:, 1].astype(np.float64) - logits[:, 0].astype(np.float64)
    scores = 1 / (1 + np.exp(-margins))
    flags = (scores > 0.5).astype(int)
    content_free = np.round(rng.normal(0.0, 1.0, 2), 3)
    temperature = lbfgs_temperature(margins, labels)
    return {
        "labels": labels.tolist(),
        # Rounded again as doubles, they are short, and the nearest single to each is the same.
        "safe": logits[:, 0].astype(np.float64).round(digits).tolist(),
        "unsafe": logits[:, 1].astype(np.float64).round(digits).tolist(),
        "f1": f1_score(labels, flags),
        "precision": precision_score(labels, flags),
        "recall": recall_score(labels, flags),
        "accuracy": accuracy_score(labels, flags),
        "fpr": float(((flags == 1) & (labels == 0)).sum() / (labels == 0).sum()),
        "auprc": average_precision_score(labels, scores),
        "nll": log_loss(labels, scores),
        "brier": brier_score_loss(labels, scores),
        "ece": expected_calibration_error(labels, scores),
        "entropy_bits": [float(binary_entropy(p)) for p in scores[:10]],
        "temperature": temperature,
        "temperature_adam": adam_temperature(margins, labels),
        "content_free": {"safe": content_free[0], "unsafe": content_free[1]},
        "entropy_ts": calibrated_entropy(1 / (1 + np.exp(-margins / temperature))),
        "entropy_cc": calibrated_entropy(contextual(scores, softmax(content_free)[1])),
        "entropy_bc": calibrated_entropy(contextual(scores, scores.mean())),
    }


def binary_entropy(p: np.ndarray) -> np.ndarray:
    return -p * np.log2(p) - (1 - p) * np.log2(1 - p)


def calibrated_entropy(p: np.ndarray) -> dict:
    """SafeRoute's entropy rule on calibrated scores: more than half a bit goes to the large guard."""
    bits = binary_entropy(p)
    return {"bits": bits[:10].tolist(), "escalated": (bits > 0.5).astype(int).tolist()}


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


def contextual(scores: np.ndarray, prior: float) -> np.ndarray:
    """W = diag(1 / prior of each class), b = 0, renormalised."""
    weighted = np.stack([(1 - scores) / (1 - prior), scores / prior], axis=1)
    return (weighted / weighted.sum(1, keepdims=True))[:, 1]


def expected_calibration_error(labels: np.ndarray, scores: np.ndarray) -> float:
    bins = np.minimum((scores * BINS).astype(int), BINS - 1)
    gaps = [(bins == b).mean() * abs(scores[bins == b].mean() - labels[bins == b].mean()) for b in np.unique(bins)]
    return float(sum(gaps))


def temperature_loss(margins: np.ndarray, labels: np.ndarray, temperature: torch.Tensor) -> torch.Tensor:
    z, y = torch.from_numpy(margins), torch.from_numpy(labels).double()
    return torch.nn.functional.binary_cross_entropy_with_logits(z / temperature, y)


def lbfgs_temperature(margins: np.ndarray, labels: np.ndarray) -> float:
    log_temperature = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [log_temperature], max_iter=500, tolerance_grad=1e-14, tolerance_change=1e-16, line_search_fn="strong_wolfe"
    )

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = temperature_loss(margins, labels, log_temperature.exp())
        loss.backward()
        return loss

    for _ in range(5):
        optimizer.step(closure)
    return log_temperature.detach().exp().item()


def adam_temperature(margins: np.ndarray, labels: np.ndarray) -> float:
    """As SafeRoute fits it: from 1.5, Adam at 0.01, 1000 steps."""
    temperature = torch.full((1,), 1.5, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([temperature], lr=0.01)
    for _ in range(1000):
        optimizer.zero_grad()
        temperature_loss(margins, labels, temperature).backward()
        optimizer.step()
    return temperature.item()


BINOMIALS = [
    (0, 1, 0.5), (1, 1, 0.5), (0, 20, 0.05), (3, 20, 0.2), (20, 20, 0.9), (17, 40, 0.31), (1, 500, 0.004),
    (90, 500, 0.2), (480, 500, 0.97), (2000, 10000, 0.2), (1900, 10000, 0.2), (17345, 86759, 0.2),
]


def binomial_golden(k: int, n: int, p: float) -> dict:
    exact = binomtest(k, n).proportion_ci(0.95, method="exact")
    upper = binomtest(k, n, alternative="less").proportion_ci(0.9, method="exact")
    return {
        "k": k,
        "n": n,
        "p": p,
        "at_most": float(binom.cdf(k, n, p)),
        "at_least": float(binom.sf(k - 1, n, p)),
        "low": float(exact.low),
        "high": float(exact.high),
        "upper": float(upper.high),
    }


if __name__ == "__main__":
    main()
