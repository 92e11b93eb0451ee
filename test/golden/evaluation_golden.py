"""Writes test/fixtures/evaluation.json: three small synthetic sets, and every figure of their evaluation by scikit-learn, scipy and numpy."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from scipy.special import expit
from scipy.stats import binomtest, entropy
from sklearn.metrics import accuracy_score, average_precision_score, confusion_matrix, f1_score, log_loss, precision_score, recall_score

OUT = Path(__file__).parent.parent / "fixtures" / "evaluation.json"
UNSAFE_AT = 0.5
SHARES = np.linspace(0, 1, 101)
LATENCY = {"a": (1.5, 9.25), "b": (2.0, 12.0), "unsafe-only": (1.75, 8.5)}
FLOP = {"small": 100.0, "large": 900.0}  # per token
BOOK = {
    "small": {},
    "large": {},
    "random": {"share": 0.5},
    "entropy": {"threshold": 0.5},
    "entropy+ts": {"threshold": 0.5, "temperature": 1.7},
    "entropy+cc": {"threshold": 0.5, "prior": 0.3},
    "entropy+bc": {"threshold": 0.5, "prior": 0.42},
    "router": {"threshold": 0.6},
    "benefit": {"threshold": 0.5},
    "budget": {"share": 0.25},
    "ensemble": {"threshold": 0.6, "large_weight": 0.7},
    "oracle": {},
}

Array = np.ndarray


def columns(rng: np.random.Generator, rows: int, unsafe: float) -> dict[str, list]:
    """Every fifth row is the one before it once more, so that scores tie."""
    label = (rng.random(rows) < unsafe).astype(int)
    source = rng.integers(0, 3, rows)
    # In the third source the large guard is the worse one.
    skill = np.where(source == 2, -0.8, 1.6)
    logits = lambda gain: (gain * (2 * label - 1) + rng.normal(0, 1.6, rows)).astype(np.float32)  # noqa: E731
    small, large = logits(0.8), logits(skill)
    shift = rng.normal(0, 1, rows).astype(np.float32)
    hard = ((small > 0) != label) & ((large > 0) == label)
    table = {
        "label": label,
        "source": source,
        "small_safe": shift,
        "small_unsafe": (shift + small).astype(np.float32),
        "large_safe": -shift,
        "large_unsafe": (large - shift).astype(np.float32),
        "small_tokens": rng.integers(5, 90, rows),
        "large_tokens": rng.integers(20, 120, rows),
        "hardness": expit(rng.normal(0, 1.2, rows) + 1.5 * hard).astype(np.float32),
        "benefit": expit(rng.normal(0, 1.0, rows) + 1.0 * hard).astype(np.float32),
    }
    for name, values in table.items():
        values[4::5] = values[3::5][: len(values[4::5])]
    return {name: values.tolist() for name, values in table.items()}


class Rows:
    """Columns as the figures need them, in f64."""

    def __init__(self, table: dict[str, list]) -> None:
        get = lambda name: np.asarray(table[name], dtype=np.float64)  # noqa: E731
        self.label = np.asarray(table["label"])
        self.source = np.asarray(table["source"])
        self.z = {"small": get("small_unsafe") - get("small_safe"), "large": get("large_unsafe") - get("large_safe")}
        self.score = {guard: expit(z) for guard, z in self.z.items()}
        self.flag = {guard: (score > UNSAFE_AT).astype(int) for guard, score in self.score.items()}
        self.tokens = {guard: get(f"{guard}_tokens") for guard in ("small", "large")}
        self.routers = {"router": get("hardness"), "benefit": get("benefit")}
        right = {guard: flag == self.label for guard, flag in self.flag.items()}
        self.hard = (right["large"] & ~right["small"]).astype(int)
        self.gain = right["large"].astype(int) - right["small"].astype(int)

    def __len__(self) -> int:
        return len(self.label)


def bits(score: Array) -> Array:
    return entropy(np.stack([score, 1 - score]), base=2)


def against_prior(score: Array, prior: float) -> Array:
    """p/π, renormalised."""
    weighed = np.stack([score / prior, (1 - score) / (1 - prior)])
    return weighed[0] / weighed.sum(axis=0)


def ranking(rule: str, rows: Rows, settings: dict[str, float]) -> Array:
    if rule == "random":
        return np.zeros(len(rows))
    if rule == "entropy":
        return bits(rows.score["small"])
    if rule == "entropy+ts":
        return bits(expit(rows.z["small"] / settings["temperature"]))
    if rule in ("entropy+cc", "entropy+bc"):
        return bits(against_prior(rows.score["small"], settings["prior"]))
    if rule == "oracle":
        return rows.gain.astype(float)
    return rows.routers["benefit" if rule == "benefit" else "router"]


def share_or_none(value: float, of: int) -> float | None:
    return float(value) if of > 0 else None


def classified(label: Array, flag: Array, score: Array, weight: Array | None = None) -> dict[str, object]:
    weight = np.ones(len(label)) if weight is None else weight
    tn, fp, fn, tp = confusion_matrix(label, flag, labels=[0, 1], sample_weight=weight).ravel().tolist()
    with_weight = {"sample_weight": weight, "zero_division": 0}
    both = 0 < label.sum() < len(label)
    return {
        "confusion": {"tp": tp, "fp": fp, "tn": tn, "fn": fn},
        "f1": share_or_none(f1_score(label, flag, **with_weight), tp + fp + fn),
        "precision": share_or_none(precision_score(label, flag, **with_weight), tp + fp),
        "recall": share_or_none(recall_score(label, flag, **with_weight), tp + fn),
        "accuracy": float(accuracy_score(label, flag, sample_weight=weight)),
        "fpr": fp / (fp + tn) if fp + tn > 0 else None,
        "auprc": float(average_precision_score(label, score, sample_weight=weight)) if both else None,
    }


def picks(rule: str, rows: Rows, settings: dict[str, float]) -> Array:
    """1 where the rule sends the row up; not for random."""
    if rule in ("small", "large"):
        return np.full(len(rows), int(rule == "large"))
    rank = ranking(rule, rows, settings)
    if rule == "budget":
        # No two rows tie at the cut: asserted below.
        ordered = np.sort(rank)[::-1]
        count = int(np.floor(settings["share"] * len(rows)))
        assert ordered[count - 1] > ordered[count], "the budget cuts through a tie"
        return (rank >= ordered[count - 1]).astype(int)
    return (rank > settings.get("threshold", 0)).astype(int)


def escalated_score(rule: str, rows: Rows, settings: dict[str, float]) -> Array:
    if rule != "ensemble":
        return rows.score["large"]
    weight = settings["large_weight"]
    return expit(weight * rows.z["large"] + (1 - weight) * rows.z["small"])


def figures(rule: str, rows: Rows, settings: dict[str, float], latency: tuple[float, float]) -> dict[str, object]:
    up = escalated_score(rule, rows, settings)
    small = rows.score["small"]
    if rule == "random":
        twice = lambda values: np.concatenate([values, values])  # noqa: E731
        score, label, hard = np.concatenate([small, up]), twice(rows.label), twice(rows.hard)
        goes, weight = np.repeat([0, 1], len(rows)), np.full(2 * len(rows), 0.5)
        flop_small, flop_large = twice(rows.tokens["small"]), twice(rows.tokens["large"])
    else:
        goes = picks(rule, rows, settings)
        score, label, hard, weight = np.where(goes, up, small), rows.label, rows.hard, np.ones(len(rows))
        flop_small, flop_large = rows.tokens["small"], rows.tokens["large"]
    first = 0 if rule == "large" else 1
    result = classified(label, (score > UNSAFE_AT).astype(int), score, weight)
    routed = None if rule in ("small", "large") or hard.sum() == 0 else float(f1_score(hard, goes, sample_weight=weight))
    return result | {
        "escalated": float(np.average(goes, weights=weight)),
        "routing_f1": routed,
        "ms_per_row": float(first * latency[0] + np.average(goes, weights=weight) * latency[1]),
        "flop_per_row": float(
            np.average(first * FLOP["small"] * flop_small + FLOP["large"] * flop_large * goes, weights=weight)
        ),
    }


def curve(rule: str, rows: Rows, settings: dict[str, float]) -> list[float | None]:
    """Expected counts where a share cuts through rows of one rank: each rank's rows go with the chance that fills the share."""
    rank = ranking(rule, rows, settings)
    up = (escalated_score(rule, rows, settings) > UNSAFE_AT).astype(float)
    kept = rows.flag["small"].astype(float)
    points: list[float | None] = []
    for share in SHARES:
        room = share * len(rows)
        chance = np.zeros(len(rows))
        for value in np.unique(rank)[::-1]:
            group = rank == value
            chance[group] = np.clip(room / group.sum(), 0, 1)
            room -= min(room, group.sum())
        flag = chance * up + (1 - chance) * kept
        tp, fp, unsafe = (flag * rows.label).sum(), (flag * (1 - rows.label)).sum(), rows.label.sum()
        points.append(float(2 * tp / (tp + fp + unsafe)) if tp + fp + unsafe > 0 else None)
    return points


def bound(rows: Rows, kind: str) -> dict[str, object]:
    goes = picks("router", rows, BOOK["router"])
    if kind == "log":
        losses = {g: np.array([log_loss([y], [p], labels=[0, 1]) for y, p in zip(rows.label, s)]) for g, s in rows.score.items()}
    else:
        losses = {g: (flag != rows.label).astype(float) for g, flag in rows.flag.items()}
    m = float(np.sqrt(np.mean((losses["large"] - losses["small"]) ** 2)))
    oracle = float(np.where(rows.hard, losses["large"], losses["small"]).mean())
    misrouted = float((goes != rows.hard).mean())
    return {
        "rule": "router",
        "loss": kind,
        "adaptive": float(np.where(goes, losses["large"], losses["small"]).mean()),
        "oracle": oracle,
        "m": m,
        "misrouted": misrouted,
        "bound": oracle + m * np.sqrt(misrouted),
    }


def domains(rows: Rows) -> list[dict[str, object]]:
    found = []
    for source in range(3):
        chosen = rows.source == source
        gain = rows.gain[chosen]
        only_large, only_small = int((gain > 0).sum()), int((gain < 0).sum())
        found.append(
            {
                "name": f"source-{source}",
                "rows": int(chosen.sum()),
                "unsafe": int(rows.label[chosen].sum()),
                "small": classified(rows.label[chosen], rows.flag["small"][chosen], rows.score["small"][chosen]),
                "large": classified(rows.label[chosen], rows.flag["large"][chosen], rows.score["large"][chosen]),
                "only_large_right": only_large,
                "only_small_right": only_small,
                "p_value": float(binomtest(only_large, only_large + only_small).pvalue) if only_large + only_small else 1.0,
            }
        )
    return found


def histogram(values: Array, classes: Array, names: tuple[str, str]) -> list[dict[str, object]]:
    return [
        {"name": name, "counts": np.histogram(values[classes == place], bins=20, range=(0, 1))[0].tolist()}
        for place, name in enumerate(names)
    ]


def reliability(rows: Rows, guard: str) -> list[dict[str, float]]:
    place = np.minimum((rows.score[guard] * 10).astype(int), 9)
    return [
        {
            "score": float(rows.score[guard][place == bin].mean()),
            "unsafe": float(rows.label[place == bin].mean()),
            "rows": int((place == bin).sum()),
        }
        for bin in np.unique(place)
    ]


def evaluated(name: str, table: dict[str, list]) -> dict[str, object]:
    rows = Rows(table)
    curves = {rule: curve(rule, rows, settings) for rule, settings in BOOK.items() if rule not in ("small", "large")}
    nearest = np.argsort(np.abs(rows.routers["router"] - BOOK["router"]["threshold"]), kind="stable")[:20]
    return {
        "rows": len(rows),
        "unsafe": int(rows.label.sum()),
        "hard": float(rows.hard.mean()),
        "rules": {rule: figures(rule, rows, settings, LATENCY[name]) for rule, settings in BOOK.items()},
        "curves": curves,
        "area": {rule: None if None in points else float(np.trapezoid(points, SHARES)) for rule, points in curves.items()},
        "bounds": [bound(rows, "log"), bound(rows, "zero-one")],
        "domains": domains(rows),
        "scores": {guard: histogram(rows.score[guard], rows.label, ("safe", "unsafe")) for guard in ("small", "large")},
        "hardness": histogram(rows.routers["router"], rows.hard, ("easy", "hard")),
        "reliability": {guard: reliability(rows, guard) for guard in ("small", "large")},
        "boundary": [f"{name}-{row}" for row in nearest],
    }


def add_holm(sets: dict[str, dict]) -> None:
    """Holm's step-down over the domains of all sets: the i-th least p times the number of those not below it, kept from falling."""
    found = [domain for figures in sets.values() for domain in figures["domains"]]
    ordered = sorted(found, key=lambda domain: domain["p_value"])
    for place, domain in enumerate(ordered):
        domain["p_holm"] = max(min(1.0, one["p_value"] * (len(ordered) - i)) for i, one in enumerate(ordered[: place + 1]))
        better = domain["only_large_right"] > domain["only_small_right"]
        domain["escalation"] = ("helps" if better else "hurts") if domain["p_holm"] < 0.05 else "unclear"


def means(sets: dict[str, dict]) -> dict[str, object]:
    chosen = [name for name, figures in sets.items() if 0 < figures["unsafe"] < figures["rows"]]
    of = lambda rule, key: np.mean([sets[name]["rules"][rule][key] for name in chosen])  # noqa: E731
    keys = ["f1", "precision", "recall", "accuracy", "fpr", "auprc", "escalated", "ms_per_row", "flop_per_row"]
    return {
        "sets": chosen,
        "rules": {rule: {key: float(of(rule, key)) for key in keys} for rule in BOOK},
        "area": {rule: float(np.mean([sets[name]["area"][rule] for name in chosen])) for rule in sets[chosen[0]]["area"]},
    }


def main() -> None:
    rng = np.random.default_rng(7)
    tables = {"a": columns(rng, 240, 0.4), "b": columns(rng, 120, 0.15), "unsafe-only": columns(rng, 40, 1.0)}
    expected = {name: evaluated(name, table) for name, table in tables.items()}
    add_holm(expected)
    golden = {
        "unsafe_at": UNSAFE_AT,
        "book": BOOK,
        "latency": LATENCY,
        "flop": FLOP,
        "tables": tables,
        "sets": expected,
        "mean": means(expected),
    }
    OUT.write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main()
