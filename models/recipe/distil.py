"""Pre-training of the large guard by its teacher: from the last token's state, linear maps tell the teacher's embeddings of
the judged message and of the one before it. The token embeddings start as the teacher's of the same strings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional

from augment import restyle
from batches import padded, shuffled
from corpus import Row
from decoder import Decoder
from lessons import Lessons
from settings import Distillation, Schedule
from teacher import WIDTH, Teacher
from training import train
from vocabulary import Renderer

ROUND_TEXTS = 20_000
RESTYLED_SHARE = 0.4
INITIAL_STD = 0.02
POOLED_SCALE = 0.2
"""What the first layer adds to a token, as a share of the mean that it attends to: ten times INITIAL_STD, so that the mean prevails."""
EVEN_ATTENTION = 0.2
"""The first layer's query scale: scores this small leave the softmax nearly even."""


class Student(nn.Module):
    """A decoder and, for training only, the maps from its feature to the teacher's space."""

    def __init__(self, decoder: Decoder) -> None:
        super().__init__()
        self.decoder = decoder
        self.maps = nn.Linear(decoder.shape.hidden_size, 2 * WIDTH, bias=False)
        with torch.no_grad():
            self.maps.weight.copy_(torch.eye(WIDTH).repeat(2, 1))

    def teacher_loss(self, feature: Tensor, targets: Tensor) -> Tensor:
        """1 - cosine over the targets that are there; feature (rows, hidden), targets (rows, 2, WIDTH), zero where there is none."""
        with torch.autocast("cpu", enabled=False):
            told = self.maps(feature.float()).view(-1, 2, WIDTH)
        there = targets.square().sum(-1) > 0
        return (1 - functional.cosine_similarity(told[there], targets[there], dim=-1)).sum() / len(feature)


def start_from_teacher(model: Decoder, tokenizer: Tokenizer) -> None:
    """Sets the token embeddings to the teacher's of the same strings, centred and scaled to the usual spread.

    The first layer's attention starts as an even mean of them, which alone is most of a sentence embedding; from random
    weights, pooling would have to be found first.
    """
    if model.shape.hidden_size != WIDTH:
        raise ValueError(f"the guard's hidden size {model.shape.hidden_size} is not the teacher's {WIDTH}")
    strings = [tokenizer.decode([id], skip_special_tokens=False).strip() for id in range(model.shape.vocab_size)]
    rows = Teacher().embed(strings).float()
    rows -= rows.mean(0)
    first = model.layers[0].self_attn
    if first.heads * first.head_dim != WIDTH or first.kv_heads != first.heads:
        raise ValueError("the first layer's attention cannot copy its input: it needs as many values as the hidden size")
    with torch.no_grad():
        model.embed_tokens.weight.copy_(rows * (INITIAL_STD / rows.std()))
        first.v_proj.weight.copy_(torch.eye(WIDTH))
        first.o_proj.weight.copy_(torch.eye(WIDTH) * POOLED_SCALE)
        first.q_norm.weight.fill_(EVEN_ATTENTION)


@dataclass(frozen=True)
class Teaching:
    """What a taught guard trains with."""

    student: Student
    lessons: Lessons


def distil(
    name: str,
    teaching: Teaching,
    pairs: Sequence[Row],
    renderer: Renderer,
    schedule: Schedule,
    stage: Distillation,
    seed: int,
    checkpoint: Path,
) -> None:
    """Steps over all texts as single messages and over the pairs as conversations, some of them restyled."""
    student, lessons = teaching.student, teaching.lessons
    conversations = [(("user", text),) for text in lessons.texts] + [row.turns for row in pairs]

    def batches(first: int) -> Iterator[tuple[Tensor, ...]]:
        done, turn = 0, 0
        while True:
            rng = Random(f"{seed}:distil:{turn}")
            drawn = [list(conversations[i]) for i in rng.sample(range(len(conversations)), min(ROUND_TEXTS, len(conversations)))]
            plain = [list(turns) for turns in drawn]
            for turns in drawn:
                if rng.random() < RESTYLED_SHARE:
                    turns[-1] = (turns[-1][0], restyle(turns[-1][1], rng))
            rendered = renderer.render(drawn)
            for batch in shuffled([len(ids) for ids in rendered], stage.batch_tokens, rng):
                done += 1
                if done > first:
                    yield (*padded([rendered[i] for i in batch], renderer.pad), lessons.targets([plain[i] for i in batch]))
            turn += 1

    def loss_of(ids: Tensor, lengths: Tensor, targets: Tensor) -> Tensor:
        return student.teacher_loss(student.decoder.features(ids, lengths), targets)

    train(name, student, batches, loss_of, stage.steps, stage.lr, schedule, checkpoint, average=True)
