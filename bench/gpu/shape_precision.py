"""What the device's recipes do to the feature of Llama-Guard-3-1B's shape with random weights, simulated on a CPU.

    python shape_precision.py RESULT.json [--prompts N]

Weights as of the bench's checkpoints (normal, deviation 0.02, norms 1, rounded to bf16), but no matrix like another.
Prompts as the bench makes them: the template's constant head and tail around random words, message lengths drawn from the histogram.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from random import Random
from typing import Any

import torch
from torch import Tensor
from transformers import LlamaConfig
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "test" / "golden"))

from device_recipe import F32, Bf16, Fp8, Fp8OnHopper, Pass, Shape  # noqa: E402

DEVIATION = 0.02
HEAD_TOKENS, TAIL_TOKENS = 139, 57  # of the template, bench/weights/template.ts
WORDS = 4096
ROPE = {
    "rope_type": "llama3", "rope_theta": 500_000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 8192,
}  # fmt: skip
MATRICES = {
    "self_attn.q_proj": (2048, 2048), "self_attn.k_proj": (512, 2048), "self_attn.v_proj": (512, 2048),
    "self_attn.o_proj": (2048, 2048), "mlp.gate_proj": (8192, 2048), "mlp.up_proj": (8192, 2048), "mlp.down_proj": (2048, 8192),
}  # fmt: skip


def llama_guard_3_1b() -> Shape:
    config = LlamaConfig(hidden_size=2048, num_attention_heads=32, head_dim=64, max_position_embeddings=131_072, rope_parameters=ROPE)
    frequencies = ROPE_INIT_FUNCTIONS["llama3"](config, "cpu")[0]
    return Shape(16, 2048, 32, 8, 64, 1e-5, qk_norm=False, inverse_frequency=frequencies)


def layer_tensors(generator: torch.Generator, hidden: int) -> dict[str, Tensor]:
    tensors = {
        f"{name}.weight": (torch.randn(*size, generator=generator) * DEVIATION).bfloat16() for name, size in MATRICES.items()
    }
    return tensors | {f"{name}.weight": torch.ones(hidden) for name in ("input_layernorm", "post_attention_layernorm")}


def draw_prompts(count: int) -> tuple[Tensor, list[int]]:
    """Ids back to back, (tokens), and the tokens of each prompt."""
    rng = Random(1)
    histogram = json.loads((ROOT / "bench" / "prompts" / "message-lengths.json").read_text())
    width, counts = histogram["binTokens"], histogram["counts"]

    def words(length: int) -> list[int]:
        return [rng.randrange(WORDS) for _ in range(length)]

    head, tail = words(HEAD_TOKENS), words(TAIL_TOKENS)
    bins = rng.choices(range(len(counts)), counts, k=count)
    prompts = [head + words(at * width + rng.randint(1, width)) + tail for at in bins]
    return torch.tensor([token for prompt in prompts for token in prompt]), [len(prompt) for prompt in prompts]


def cosines(found: Tensor, exact: Tensor) -> dict[str, float]:
    """Of rows (rows, hidden), the mean and the least over them."""
    each = torch.cosine_similarity(found.double(), exact.double())
    return {"mean": each.mean().item(), "least": each.min().item()}


def compare(shape: Shape, count: int) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(1)
    ids, lengths = draw_prompts(count)
    embedding = (torch.randn(WORDS, shape.hidden, generator=generator) * DEVIATION).bfloat16().float()

    exact, *passes = (Pass(shape, recipe, embedding, ids, lengths) for recipe in (F32(), Bf16(), Fp8(), Fp8OnHopper()))
    layers: dict[str, list[dict[str, float]]] = {each.recipe.name: [] for each in passes}
    for index in range(shape.layers):
        tensors = layer_tensors(generator, shape.hidden)
        is_last = index + 1 == shape.layers
        exact.layer(tensors, "", is_last)
        for each in passes:
            each.layer(tensors, "", is_last)
            layers[each.recipe.name].append(cosines(each.last_tokens(), exact.last_tokens()))
        print(f"layer {index + 1} of {shape.layers}", {name: f"{found[-1]['mean']:.6f}" for name, found in layers.items()}, file=sys.stderr)
    ones = torch.ones(shape.hidden)
    features = {each.recipe.name: cosines(each.feature(ones), exact.feature(ones)) for each in passes}
    return {"shape": "llama-guard-3-1b", "tokens": lengths, "feature": features, "stream": layers}


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("result", type=Path)
    parser.add_argument("--prompts", type=int, default=24)
    options = parser.parse_args()
    result = compare(llama_guard_3_1b(), options.prompts)
    options.result.write_text(json.dumps(result, indent=1) + "\n")
    for name, found in result["feature"].items():
        print(f"{name}: cosine(feature) {found['mean']:.5f} in the mean of {options.prompts} prompts, {found['least']:.5f} at least")


if __name__ == "__main__":
    main()
