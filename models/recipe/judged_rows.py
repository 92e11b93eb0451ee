"""Writes the rows that train, tune and judge the router, as `saferoute label` reads them: one JSON object a line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

from augment import statements
from corpus import Corpus, Row, group_of
from guards import augmented
from progress import write_atomically

Line = dict[str, object]


def group_name(row: Row) -> str:
    """The template group, without its words."""
    return hashlib.sha256(group_of(row).encode()).hexdigest()[:16]


def line_of(row: Row) -> Line:
    """A row as it is. Rows of one template group never come on both sides of a split."""
    line: Line = {"id": row.id, "source": row.source, "group": group_name(row), "label": int(row.label or 0), "prompt": row.prompt}
    return line if row.response is None else {**line, "response": row.response}


def router_lines(corpus: Corpus, own: Sequence[Row], seed: int, rounds: int) -> Iterator[Line]:
    """Rows that the guards never saw, as they are and restyled."""
    rows = [*corpus.router, *statements(corpus.router), *corpus.cross_router, *own]
    yield from map(line_of, rows)
    for turn in range(rounds):
        restyled, labels, _ = augmented(rows, Random(f"{seed}:router:{turn}"))
        for row, conversation, label in zip(rows, restyled, labels, strict=True):
            messages = [{"role": role, "content": content} for role, content in conversation]
            yield {"id": f"{row.id}-{turn}", "source": row.source, "group": group_name(row), "label": label, "messages": messages}


def write_lines(path: Path, lines: Iterator[Line]) -> None:
    """One file."""
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    write_atomically(path, lambda partial: partial.write_text(text, encoding="utf-8"))


def write_judged_rows(folder: Path, corpus: Corpus, own: Sequence[Row], seed: int, rounds: int) -> None:
    """router.jsonl trains the router, valid.jsonl tunes it (half of its sources are in neither guard), in_domain.jsonl judges the pair."""
    write_lines(folder / "router.jsonl", router_lines(corpus, own, seed, rounds))
    write_lines(folder / "valid.jsonl", map(line_of, [*corpus.valid, *corpus.cross_valid]))
    write_lines(folder / "in_domain.jsonl", map(line_of, corpus.test))
