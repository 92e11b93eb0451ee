"""What the teacher says about the texts that the guards may see, computed once: the lessons of the large guard's pre-training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import torch
from torch import Tensor

import progress
from corpus import Corpus, Row
from teacher import WIDTH, Teacher

MIXTURES = 20_000
CHUNK = 20_000


@dataclass(frozen=True)
class Lessons:
    """Texts and their embeddings (texts, WIDTH) in f16."""

    texts: list[str]
    embeddings: Tensor
    places: dict[str, int]

    def targets(self, conversations: Sequence[Sequence[tuple[str, str]]]) -> Tensor:
        """The embeddings of the last message and of the one before it, zero where there is none: (rows, 2, WIDTH) in f32."""
        targets = torch.zeros(len(conversations), 2, WIDTH)
        for row, turns in enumerate(conversations):
            for back, (_, text) in enumerate(reversed(turns[-2:])):
                place = self.places.get(text)
                if place is not None:
                    targets[row, back] = self.embeddings[place].float()
        return targets


def mixtures(texts: Sequence[str], count: int, rng: Random) -> list[str]:
    """Made-up texts of two or three halves or wholes of others, so that the guard meets words beside words they never stood beside."""
    made = []
    for _ in range(count):
        parts = []
        for text in rng.sample(texts, rng.randint(2, 3)):
            words = text.split()[:40]
            half = len(words) // 2
            parts.append(" ".join(rng.choice((words, words[:half], words[half:])) or words))
        made.append(" ".join(parts))
    return made


def lesson_texts(corpus: Corpus, own: Sequence[Row], glosses: Sequence[str], seed: int) -> list[str]:
    """Every distinct text: the guards' rows, own rows, unlabeled dialogue, glosses, and mixtures of them."""
    messages = [text for row in (*corpus.guards, *own, *corpus.unlabeled) for _, text in row.turns]
    single = list(dict.fromkeys((*messages, *glosses)))
    return list(dict.fromkeys((*single, *mixtures(single, min(MIXTURES, len(single)), Random(f"{seed}:mixtures")))))


def make_lessons(texts: list[str], file: Path) -> Lessons:
    """Embeds the texts, or reads the file where an earlier run left it."""
    state = progress.load(file)
    if state is None or len(state["embeddings"]) != len(texts):
        teacher, parts = Teacher(), []
        for at in range(0, len(texts), CHUNK):
            parts.append(teacher.embed(texts[at : at + CHUNK]))
            progress.say(f"teacher {at + len(parts[-1])}/{len(texts)}")
        state = {"embeddings": torch.cat(parts)}
        progress.save(file, state)
    return Lessons(texts, state["embeddings"], {text: place for place, text in enumerate(texts)})
