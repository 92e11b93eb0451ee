"""Reads WordNet's database files: every sense's words and its gloss as one text. They teach the words that the corpus lacks."""

from __future__ import annotations

from pathlib import Path

PARTS = ("noun", "verb", "adj", "adv")
COUNT_FIELD = 3
"""Position of the number of words, two hexadecimal digits; the words follow, each with a lexical id (WordNet's wndb(5))."""


def gloss(line: str) -> str:
    """One line of a data file as text: its words, then definition and examples."""
    fields, _, meaning = line.partition(" | ")
    columns = fields.split(" ")
    count = int(columns[COUNT_FIELD], 16)
    words = [columns[COUNT_FIELD + 1 + 2 * at].partition("(")[0].replace("_", " ") for at in range(count)]
    return f"{', '.join(words)}: {meaning.strip()}"


def read_glosses(folder: Path) -> list[str]:
    """All senses of data.noun, data.verb, data.adj and data.adv, in the order of the files."""
    texts: list[str] = []
    for part in PARTS:
        with (folder / f"data.{part}").open(encoding="latin-1") as lines:
            texts.extend(gloss(line) for line in lines if not line.startswith("  "))
    return texts
