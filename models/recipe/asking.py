"""Asks an exported guard about conversations: rendering, batches, verdict logits, features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor

from batches import by_length, padded
from decoder import Decoder
from export import load_guard
from settings import Shape
from vocabulary import Renderer

BATCH_TOKENS = 8192
Conversation = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Readings:
    """What a guard says about rows: verdict logits (rows, 2), safe first, and features (rows, hidden)."""

    logits: Tensor
    features: Tensor

    @property
    def scores(self) -> Tensor:
        """P(unsafe), (rows,): the softmax over the two verdict logits (SafeRoute, arXiv 2502.12464, section 4.1)."""
        return self.logits.softmax(-1)[:, 1]


@dataclass(frozen=True)
class Asked:
    """A guard and the renderer of its own tokenizer."""

    model: Decoder
    renderer: Renderer

    @classmethod
    def load(cls, folder: Path, shape: Shape, max_tokens: int) -> Asked:
        """An exported guard's directory."""
        return cls(load_guard(folder, shape), Renderer(Tokenizer.from_file(str(folder / "tokenizer.json")), max_tokens))

    @torch.no_grad()
    def read(self, conversations: Sequence[Conversation], exact: bool) -> Readings:
        """Readings in the conversations' order; exact computes in f32, otherwise in bf16."""
        rendered = self.renderer.render(conversations)
        verdicts = self.model.embed_tokens.weight[[self.renderer.safe, self.renderer.unsafe]]
        features = torch.empty(len(rendered), self.model.shape.hidden_size)
        for batch in by_length([len(ids) for ids in rendered], BATCH_TOKENS):
            ids, lengths = padded([rendered[i] for i in batch], self.renderer.pad)
            with torch.autocast("cpu", torch.bfloat16, enabled=not exact):
                features[batch] = self.model.features(ids, lengths)
        return Readings(features @ verdicts.t(), features)

    def cut(self, conversations: Sequence[Conversation]) -> int:
        """How many conversations are longer than the context."""
        unlimited = Renderer(self.renderer.tokenizer, 1 << 30)
        return sum(len(ids) > self.renderer.max_tokens for ids in unlimited.render(conversations))
