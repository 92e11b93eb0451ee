"""A guard's training stages: as a language model, and as a classifier by its verdict tokens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import torch
from torch import Tensor

from augment import answered, conversation, embedded, restyle, statements
from batches import padded, shuffled, windows
from corpus import Corpus, Row, capped
from decoder import Decoder
from distil import Teaching
from settings import Schedule, Stage
from training import language_loss, train, verdict_loss
from vocabulary import Renderer

PRETRAIN_WINDOW = 512
PRETRAIN_ROWS_PER_SOURCE = 6_000
ROUND_ROWS = 12_000
ANSWERED_SHARE = 0.12
EMBEDDED_SHARE = 0.12


def token_stream(corpus: Corpus, renderer: Renderer) -> Tensor:
    """The guards' part of the corpus as one run of turns, without the question and verdict: (tokens,)."""
    rows = [*capped(corpus.guards, PRETRAIN_ROWS_PER_SOURCE), *corpus.unlabeled]
    Random(0).shuffle(rows)
    pieces: list[int] = []
    for at in range(0, len(rows), 4096):
        chunk = rows[at : at + 4096]
        for row, ids in zip(chunk, renderer.render([row.turns for row in chunk])):
            question = 1 + len(renderer.questions[row.turns[-1][0]])
            pieces.extend(ids[:-question])
            pieces.append(renderer.pad)
    return torch.tensor(pieces, dtype=torch.int32)


def pretrain(name: str, model: Decoder, stream: Tensor, schedule: Schedule, seed: int, pad: int, checkpoint: Path) -> None:
    """Language-model training over the stream, for schedule.pretrain_epochs passes."""
    rows = schedule.pretrain_tokens // PRETRAIN_WINDOW
    per_epoch = (len(stream) // PRETRAIN_WINDOW - 1) // rows
    steps = max(1, int(per_epoch * schedule.pretrain_epochs))

    def batches(first: int) -> Iterator[tuple[Tensor, ...]]:
        done, epoch = 0, 0
        while True:
            for ids in windows(stream, PRETRAIN_WINDOW, rows, Random(f"{seed}:lm:{epoch}")):
                done += 1
                if done > first:
                    yield (ids.long(),)
            epoch += 1

    def loss_of(ids: Tensor) -> Tensor:
        return language_loss(model, model(ids), ids, pad)

    train(f"{name} pretrain", model, batches, loss_of, steps, schedule.pretrain_lr, schedule, checkpoint, average=False)


def labelled_rows(corpus: Corpus, own: Sequence[Row], harmful_share: float) -> tuple[list[Row], Tensor]:
    """The rows of the classifier stage and each one's chance: a source counts with the root of its size."""
    rows = [*corpus.guards, *statements(corpus.guards), *own]
    sizes = Counter((row.source, row.label) for row in rows)
    weights = torch.tensor([sizes[(row.source, row.label)] ** -0.5 for row in rows], dtype=torch.float64)
    harmful = torch.tensor([row.label == 1 for row in rows])
    weights[harmful] *= harmful_share / weights[harmful].sum()
    weights[~harmful] *= (1 - harmful_share) / weights[~harmful].sum()
    return rows, weights


def augmented(rows: Sequence[Row], rng: Random) -> tuple[list[list[tuple[str, str]]], list[int], list[list[tuple[str, str]]]]:
    """Restyled conversations, their labels, and the conversations before restyling."""
    conversations, labels, plain = [], [], []
    for row in rows:
        if row.response is None:
            chance = rng.random()
            if chance < ANSWERED_SHARE:
                row = answered(row, rows, rng)
            elif chance < ANSWERED_SHARE + EMBEDDED_SHARE:
                row = embedded(row, rows, rng)
        turns = conversation(row, rows, rng)
        plain.append(list(turns))
        turns[-1] = (turns[-1][0], restyle(turns[-1][1], rng))
        conversations.append(turns)
        labels.append(int(row.label or 0))
    return conversations, labels, plain


def finetune(
    name: str,
    model: Decoder,
    corpus: Corpus,
    own: Sequence[Row],
    renderer: Renderer,
    schedule: Schedule,
    stage: Stage,
    seed: int,
    checkpoint: Path,
    teaching: Teaching | None,
) -> None:
    """One stage of classifier training by the verdict logits at the last position.

    The language loss or, with teaching, the teacher's loss keeps what pre-training taught.
    """
    rows, weights = labelled_rows(corpus, own, stage.harmful_share)
    verdicts = torch.tensor([renderer.safe, renderer.unsafe])

    def batches(first: int) -> Iterator[tuple[Tensor, ...]]:
        done, turn = 0, 0
        while True:
            rng, generator = Random(f"{seed}:cls:{turn}"), torch.Generator().manual_seed(seed + turn)
            drawn = torch.multinomial(weights, min(ROUND_ROWS, len(rows)), replacement=True, generator=generator)
            conversations, labels, plain = augmented([rows[i] for i in drawn.tolist()], rng)
            rendered = renderer.render(conversations)
            for batch in shuffled([len(ids) for ids in rendered], stage.batch_tokens, rng):
                done += 1
                if done > first:
                    targets = () if teaching is None else (teaching.lessons.targets([plain[i] for i in batch]),)
                    yield (*padded([rendered[i] for i in batch], renderer.pad), torch.tensor([labels[i] for i in batch]), *targets)
            turn += 1

    def loss_of(ids: Tensor, lengths: Tensor, labels: Tensor, targets: Tensor | None = None) -> Tensor:
        hidden = model(ids)
        feature = model.norm(hidden[torch.arange(len(ids)), lengths - 1].float())
        with torch.autocast("cpu", enabled=False):
            logits = feature @ model.embed_tokens.weight[verdicts].t()
        loss = verdict_loss(logits, labels, schedule.label_smoothing)
        if schedule.lm_weight:
            loss = loss + schedule.lm_weight * language_loss(model, hidden, ids, renderer.pad)
        if teaching is not None and targets is not None:
            loss = loss + schedule.teacher_weight * teaching.student.teacher_loss(feature, targets)
        return loss

    train(name, model if teaching is None else teaching.student, batches, loss_of, stage.steps, stage.lr, schedule, checkpoint, average=True)
