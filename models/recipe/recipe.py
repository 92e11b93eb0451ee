"""Trains the embedded pair's guards from the corpus: python recipe.py --data DIR --wordnet DIR --work DIR --out DIR [--quick].

routers.mjs goes on from there, with the rows that this leaves for the router. Every step leaves its result under --work
and is skipped when that is there, so that an interrupted run goes on.
"""

from __future__ import annotations

import argparse
import ctypes
from dataclasses import dataclass
from pathlib import Path
from random import Random

import torch
from tokenizers import Tokenizer

import progress
from corpus import Corpus, Row, evaluation_texts, load_corpus, normalized
from decoder import Decoder
from distil import Student, Teaching, distil, start_from_teacher
from export import export_guard, load_guard
from glosses import read_glosses
from guards import finetune, pretrain, token_stream
from judged_rows import write_judged_rows
from lessons import lesson_texts, make_lessons
from own_rows import own_rows
from progress import Timed
from settings import FULL, QUICK, Distillation, Schedule, Settings
from vocabulary import Renderer, train_tokenizer

TRAINING_TOKENS = 512
"""Longest conversation that training sees."""

OWN_ROWS, OWN_ROUTER_ROWS = 12_000, 2_000


def keep_freed_memory() -> None:
    """Lets glibc keep large freed blocks: returning them to the system at every step costs a third of the time."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return
    trim_threshold, top_pad, mmap_threshold = -1, -2, -3
    for parameter, value in ((mmap_threshold, 1 << 30), (trim_threshold, 2**31 - 1), (top_pad, 1 << 28)):
        mallopt(parameter, value)


def made_rows(data: Path, seed: int) -> tuple[list[Row], list[Row]]:
    """This project's own rows for the guards and, different ones, for the router."""
    excluded = evaluation_texts(data)
    for_guards = own_rows(OWN_ROWS, Random(f"{seed}:guards"), excluded)
    excluded |= {normalized(row.prompt) for row in for_guards}
    return for_guards, own_rows(OWN_ROUTER_ROWS, Random(f"{seed}:router"), excluded)


@dataclass(frozen=True)
class Ground:
    """What both guards are trained on, and where to."""

    corpus: Corpus
    own: list[Row]
    glosses: list[str]
    work: Path
    out: Path
    seed: int


def tokenizer_of(role: str, schedule: Schedule, ground: Ground) -> Path:
    """The guard's tokenizer file; a taught guard's covers the glosses too and knows no upper case, like its teacher."""
    file = ground.work / f"{role}-tokenizer.json"
    if not file.exists():
        taught = schedule.distil is not None
        messages = [text for row in (*ground.corpus.guards, *ground.corpus.unlabeled) for _, text in row.turns]
        texts = [*messages, *ground.glosses] if taught else messages
        tokenizer = train_tokenizer(texts, schedule.shape.vocab_size, lowercase=taught)
        progress.write_atomically(file, lambda partial: tokenizer.save(str(partial)))
    return file


def pretrained_by_teacher(
    role: str, model: Decoder, tokenizer: Tokenizer, renderer: Renderer, schedule: Schedule, stage: Distillation, ground: Ground, timed: Timed
) -> Teaching:
    """Embeds all texts with the teacher and trains the guard to tell what it says."""
    made: list[Teaching] = []

    def embed() -> None:
        start_from_teacher(model, tokenizer)
        texts = lesson_texts(ground.corpus, ground.own, ground.glosses, ground.seed)
        made.append(Teaching(Student(model), make_lessons(texts, ground.work / "lessons.pt")))

    timed("teacher", embed)
    pairs = [row for row in (*ground.corpus.guards, *ground.corpus.unlabeled) if row.response is not None]
    checkpoint = ground.work / f"{role}-distil.pt"
    timed(f"{role} distil", lambda: distil(f"{role} distil", made[0], pairs, renderer, schedule, stage, ground.seed, checkpoint))
    return made[0]


def train_guard(role: str, schedule: Schedule, ground: Ground, timed: Timed) -> None:
    """Tokenizer, pre-training and both classifier stages of one guard, and its export."""
    torch.manual_seed(ground.seed)
    tokenizer = Tokenizer.from_file(str(tokenizer_of(role, schedule, ground)))
    renderer = Renderer(Tokenizer.from_str(tokenizer.to_str()), TRAINING_TOKENS)
    model = Decoder(schedule.shape, schedule.embed_dropout, schedule.residual_dropout)
    for layer in model.layers:
        layer.compile(dynamic=True)
    teaching = None
    if schedule.distil is not None:
        teaching = pretrained_by_teacher(role, model, tokenizer, renderer, schedule, schedule.distil, ground, timed)
    else:
        stream, checkpoint = token_stream(ground.corpus, renderer), ground.work / f"{role}-lm.pt"
        timed(f"{role} pretrain", lambda: pretrain(role, model, stream, schedule, ground.seed, renderer.pad, checkpoint))
    for name, stage, seed in (("finetune", schedule.finetune, ground.seed), ("polish", schedule.polish, ground.seed + 1000)):
        step, checkpoint = f"{role} {name}", ground.work / f"{role}-{name}.pt"
        timed(step, lambda: finetune(step, model, ground.corpus, ground.own, renderer, schedule, stage, seed, checkpoint, teaching))
    export_guard(model, tokenizer, ground.out / role)
    (ground.work / f"{role}.done").touch()


def parameters(out: Path, settings: Settings) -> dict[str, int]:
    """Of each exported guard."""
    count = lambda role: sum(p.numel() for p in load_guard(out / role, getattr(settings, role).shape).parameters())  # noqa: E731
    return {role: count(role) for role in settings.roles}


def run(data: Path, wordnet: Path, work: Path, out: Path, settings: Settings) -> None:
    """All steps in order."""
    timings = progress.Timings(work / "timings.json")
    corpus = load_corpus(data, settings.rows_limit)
    own, own_for_router = made_rows(data, settings.seed)
    glosses = read_glosses(wordnet)[: settings.rows_limit]
    ground = Ground(corpus, own, glosses, work, out, settings.seed)
    for role in settings.roles:
        if not (work / f"{role}.done").exists():
            train_guard(role, getattr(settings, role), ground, timings.timed)
    write_judged_rows(work / "rows", corpus, own_for_router, settings.seed, settings.router_rounds)
    progress.write_json(
        work / "guards.json",
        {"corpus": corpus.counts(), "parameters": parameters(out, settings), "seconds": timings.steps, "settings": settings.as_dict()},
    )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Trains the guards of SafeRoute for Node's embedded pair.")
    parser.add_argument("--data", type=Path, required=True, help="folder of the corpus")
    parser.add_argument("--wordnet", type=Path, default=Path("/usr/share/wordnet"), help="folder of WordNet's data files")
    parser.add_argument("--work", type=Path, required=True, help="folder for checkpoints; keep it to resume")
    parser.add_argument("--out", type=Path, required=True, help="folder of the finished pair")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="a smoke run of a few minutes, without a useful result")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    keep_freed_memory()
    arguments.work.mkdir(parents=True, exist_ok=True)
    arguments.out.mkdir(parents=True, exist_ok=True)
    run(arguments.data, arguments.wordnet, arguments.work, arguments.out, QUICK if arguments.quick else FULL)


if __name__ == "__main__":
    main()
