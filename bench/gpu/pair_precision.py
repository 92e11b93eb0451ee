"""What the device's recipes change in the verdicts of a pair, simulated on a CPU; reads what prompt-ids.mts printed.

    python pair_precision.py IDS.jsonl RESULT.json [--pair DIRECTORY] [--recipes NAME ...] [--every N]

Verdict flips, margins and F1 as in bench/precision.mts: of the small guard, the large one, and the pair that escalates above its threshold.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor
from transformers import AutoTokenizer

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "test" / "golden"))

from device_goldens import shape_of, tensors_of  # noqa: E402
from device_head import hardness, router_layers, verdict_logits  # noqa: E402
from device_recipe import F32, Bf16, Fp8, Fp8OnHopper, Pass  # noqa: E402

UNSAFE_AT = 0.5
MARGIN = 0.05
BATCH_TOKENS = 16_384
RECIPES = {recipe.name: recipe for recipe in (Bf16(), Fp8(), Fp8OnHopper())}


@dataclass(frozen=True)
class Guard:
    """One guard of the pair; verdicts are the rows of its head for safe and unsafe, (2, hidden)."""

    directory: Path

    def features(self, prompts: Sequence[Sequence[int]], recipe: F32) -> Tensor:
        """(prompts, hidden)"""
        shape, tensors = shape_of(self.directory), tensors_of(self.directory)
        embedding = tensors["model.embed_tokens.weight"].float()
        found = torch.empty(len(prompts), shape.hidden)
        for batch in batches([len(prompt) for prompt in prompts]):
            ids = torch.tensor([token for row in batch for token in prompts[row]])
            computed = Pass(shape, recipe, embedding, ids, [len(prompts[row]) for row in batch])
            for index in range(shape.layers):
                computed.layer(tensors, f"model.layers.{index}.", is_last=index + 1 == shape.layers)
            found[batch] = computed.feature(tensors["model.norm.weight"])
        return found

    def scores(self, feature: Tensor, recipe: F32) -> Tensor:
        """P(unsafe) of features (rows, hidden): (rows)."""
        tensors = tensors_of(self.directory)
        verdict = json.loads((self.directory / "guard.json").read_text())["verdict"]
        tokenizer = AutoTokenizer.from_pretrained(self.directory)
        ids = [tokenizer(verdict[kind], add_special_tokens=False)["input_ids"] for kind in ("safe", "unsafe")]
        rows = tensors.get("lm_head.weight", tensors["model.embed_tokens.weight"])[[word[0] for word in ids]]
        return torch.softmax(verdict_logits(feature, rows, recipe), -1)[:, 1]


def batches(lengths: Sequence[int]) -> list[list[int]]:
    """Rows in order of length, at most BATCH_TOKENS together."""
    cut: list[list[int]] = []
    tokens = BATCH_TOKENS
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        tokens += lengths[row]
        if tokens > BATCH_TOKENS:
            cut.append([])
            tokens = lengths[row]
        cut[-1].append(row)
    return cut


def f1(scores: Tensor, labels: Tensor) -> float:
    unsafe, harmful = scores > UNSAFE_AT, labels == 1
    hits = (unsafe & harmful).sum().item()
    return 2 * hits / max(1, 2 * hits + (unsafe != harmful).sum().item())


def compare(sets: Sequence[str], labels: Tensor, exact: Tensor, found: Tensor) -> dict[str, Any]:
    flipped = (exact > UNSAFE_AT) != (found > UNSAFE_AT)
    clear = flipped & ((exact - UNSAFE_AT).abs() >= MARGIN)
    judged = []
    for name in sorted(set(sets)):
        rows = torch.tensor([each == name for each in sets])
        if labels[rows].unique().numel() == 2:
            judged.append((f1(exact[rows], labels[rows]), f1(found[rows], labels[rows])))
    means = [sum(column) / len(judged) for column in zip(*judged)] or [None, None]
    return {
        "rows": len(labels),
        "flips": int(flipped.sum()),
        "clearFlips": int(clear.sum()),
        "clearFlipShare": clear.float().mean().item(),
        "largestScoreChange": (exact - found).abs().max().item(),
        "meanF1": {"f32": means[0], "recipe": means[1]},
    }


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("ids", type=Path)
    parser.add_argument("result", type=Path)
    parser.add_argument("--pair", type=Path, default=ROOT / "models" / "tiny")
    parser.add_argument("--recipes", nargs="+", choices=RECIPES, default=["bf16", "fp8"], help="fp8-hopper takes five times as long")
    parser.add_argument("--every", type=int, default=1, help="read only each so manieth row")
    options = parser.parse_args()
    rows = [json.loads(line) for line in options.ids.read_text().splitlines()][:: options.every]
    pair = json.loads((options.pair / "saferoute.json").read_text())
    guards = {name: Guard(options.pair / pair[name]) for name in ("small", "large")}
    router = router_layers(load_file(options.pair / pair["router"]))
    sets, labels = [row["set"] for row in rows], torch.tensor([row["label"] for row in rows])
    scores: dict[str, dict[str, Tensor]] = {}
    result: dict[str, Any] = {"every": options.every, "threshold": pair["escalation"]["threshold"], "recipes": {}}
    exact_features: dict[str, Tensor] = {}
    for recipe in (F32(), *(RECIPES[name] for name in options.recipes)):
        features = {name: guard.features([row[name] for row in rows], recipe) for name, guard in guards.items()}
        exact_features = exact_features or features
        hard = hardness(features["small"], router, recipe) > result["threshold"]
        found = {name: guards[name].scores(features[name], recipe) for name in guards}
        scores[recipe.name] = found | {"routed": torch.where(hard, found["large"], found["small"])}
        result["recipes"][recipe.name] = {
            "escalated": int(hard.sum()),
            "cosine": {name: torch.cosine_similarity(features[name], exact_features[name]).mean().item() for name in guards},
            **{name: compare(sets, labels, scores["f32"][name], scores[recipe.name][name]) for name in scores["f32"]},
        }
        print(recipe.name, json.dumps(result["recipes"][recipe.name]), flush=True)
    options.result.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
