"""Labels for the router from rows that the guards never saw, its training, and the choice of its threshold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np
import torch
from torch import Tensor

from asking import Asked
from augment import statements
from corpus import Corpus, Row
from export import export_pair, export_router
from guards import augmented
from metrics import compared
from progress import say, write_json
from router import Router, hard_rows, train_router
from settings import MAX_POSITIONS, Settings

TARGET_RATE = 0.19
"""Escalation rate aimed at, as the mean over the validation sources.

Texts of other origin are harder: an aim of 25 % once gave 48 % on the evaluation sets, and an aim of 15 % gave 31 %.
"""


def load_pair(out: Path, settings: Settings) -> tuple[Asked, Asked]:
    """Both exported guards, small first, at the full context."""
    small, large = (Asked.load(out / role, getattr(settings, role).shape, MAX_POSITIONS) for role in ("small", "large"))
    return small, large


def router_conversations(corpus: Corpus, own: Sequence[Row], seed: int, rounds: int) -> tuple[list[list[tuple[str, str]]], Tensor]:
    """Rows unseen by the guards, as they are and restyled, with their labels (rows,)."""
    rows = [*corpus.router, *statements(corpus.router), *corpus.cross_router, *own]
    conversations, labels = [row.turns for row in rows], [int(row.label or 0) for row in rows]
    for turn in range(rounds):
        restyled, their_labels, _ = augmented(rows, Random(f"{seed}:router:{turn}"))
        conversations += restyled
        labels += their_labels
    return conversations, torch.tensor(labels)


def choose_threshold(router: Router, corpus: Corpus, small: Asked, large: Asked) -> tuple[float, dict[str, object]]:
    """The threshold whose escalation rate, as a mean over the validation sources, is TARGET_RATE; and its figures."""
    rows: Sequence[Row] = [*corpus.valid, *corpus.cross_valid]
    conversations = [row.turns for row in rows]
    reading = small.read(conversations, exact=True)
    large_scores = large.read(conversations, exact=False).scores.numpy()
    with torch.no_grad():
        hardness = router(reading.features).sigmoid().numpy()
    places = defaultdict(list)
    for index, row in enumerate(rows):
        places[row.source].append(index)
    weights = np.zeros(len(rows))
    for indices in places.values():
        weights[indices] = 1 / len(indices) / len(places)
    order = np.argsort(-hardness)
    threshold = float(hardness[order[int(np.searchsorted(np.cumsum(weights[order]), TARGET_RATE))]])
    labels = np.array([row.label for row in rows])
    cross = np.arange(len(rows)) >= len(corpus.valid)
    figures = {
        name: compared(labels[part], reading.scores.numpy()[part], large_scores[part], hardness[part], threshold)
        for name, part in (("valid", ~cross), ("cross_valid", cross))
    }
    return threshold, figures


def make_router(corpus: Corpus, own: Sequence[Row], out: Path, work: Path, settings: Settings) -> None:
    """Trains and exports the router and the pair's threshold; writes what it saw to work/router.json."""
    small, large = load_pair(out, settings)
    conversations, labels = router_conversations(corpus, own, settings.seed, settings.router_rounds)
    reading = small.read(conversations, exact=False)
    large_scores = large.read(conversations, exact=False).scores
    hard = hard_rows(reading.scores, large_scores, labels)
    say(f"router rows {len(hard)}, hard {int(hard.sum())}")
    router = train_router(reading.features, hard, settings.router_epochs, settings.seed)
    threshold, figures = choose_threshold(router, corpus, small, large)
    export_router(router, out / "router.safetensors")
    export_pair(out, threshold)
    write_json(work / "router.json", {"rows": len(hard), "hard": int(hard.sum()), "threshold": threshold, "validation": figures})
