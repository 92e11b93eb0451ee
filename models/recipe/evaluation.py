"""Measures the exported pair on the test and evaluation sets and writes results.json; selects nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file

import progress
from corpus import EVALUATION_SETS, Corpus, Row, read_rows
from metrics import compared
from router import Router
from routing import load_pair
from settings import Settings

BOTH_CLASSES = ("in_domain", "openai_moderation", "xstest", "hatecheck", "diasafety_test", "harmbench_response", "toxicchat")


def load_router(path: Path, hidden: int) -> Router:
    """The served router."""
    router = Router(hidden)
    router.load_state_dict(load_file(path), strict=False)
    return router.eval()


def sets_of(data: Path, corpus: Corpus) -> dict[str, Sequence[Row]]:
    """The in-domain test and the evaluation sets."""
    return {"in_domain": corpus.test, **{name: read_rows(data / path) for name, path in EVALUATION_SETS.items()}}


def means(sets: dict[str, dict]) -> dict[str, float]:
    """Means over the sets that hold both classes."""
    chosen = [sets[name] for name in BOTH_CLASSES]
    average = lambda pick: sum(pick(figures) for figures in chosen) / len(chosen)  # noqa: E731
    return {
        "small_f1": average(lambda f: f["small"]["f1"]),
        "large_f1": average(lambda f: f["large"]["f1"]),
        "routed_f1": average(lambda f: f["routed"]["f1"]),
        "random_f1": average(lambda f: f["random_f1"]),
        "entropy_f1": average(lambda f: f["entropy_f1"]),
        "oracle_f1": average(lambda f: f["oracle_f1"]),
        "small_auprc": average(lambda f: f["small"]["auprc"]),
        "large_auprc": average(lambda f: f["large"]["auprc"]),
        "escalation": average(lambda f: f["escalation"]),
    }


def evaluate(data: Path, corpus: Corpus, out: Path, work: Path, settings: Settings, timings: progress.Timings) -> None:
    """Reads every set with both exported guards, small in f32, large with bf16 products, and writes work/results.json."""
    small, large = load_pair(out, settings)
    router = load_router(out / "router.safetensors", small.model.shape.hidden_size)
    threshold = json.loads((out / "saferoute.json").read_text())["escalation"]["threshold"]
    results: dict[str, dict] = {}
    for name, rows in sets_of(data, corpus).items():
        conversations = [row.turns for row in rows]
        reading = small.read(conversations, exact=True)
        large_scores = large.read(conversations, exact=False).scores
        with torch.no_grad():
            hardness = router(reading.features).sigmoid()
        labels = torch.tensor([row.label for row in rows])
        results[name] = compared(labels.numpy(), reading.scores.numpy(), large_scores.numpy(), hardness.numpy(), threshold)
        results[name]["cut"] = max(small.cut(conversations), large.cut(conversations))
        progress.say(f"evaluated {name}")
    progress.write_json(
        work / "results.json",
        {
            "threshold": threshold,
            "means": means(results),
            "sets": results,
            "router": json.loads((work / "router.json").read_text()),
            "corpus": corpus.counts(),
            "parameters": {r: sum(p.numel() for p in m.parameters()) for r, m in (("small", small.model), ("large", large.model))},
            "bytes": sum(file.stat().st_size for file in out.rglob("*.safetensors")),
            "seconds": timings.steps,
            "settings": settings.as_dict(),
        },
    )
