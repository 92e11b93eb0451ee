"""Writes test/fixtures/checkpoints/<name>.device.safetensors: what a GPU has to make of each fixture's prompts in bf16 and FP8.

The simulation is our own, so it is held first, with nothing rounded, against what transformers says of the same prompts.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import AutoConfig
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

from device_head import hardness, router_layers, verdict_logits
from device_recipe import F32, Bf16, Fp8, Pass, Shape

FIXTURES = Path(__file__).parent.parent / "fixtures"
TOLERANCE = 2e-5  # of a feature in f32, whose values are near 1


def shape_of(directory: Path) -> Shape:
    config = AutoConfig.from_pretrained(directory)
    return Shape(
        layers=config.num_hidden_layers,
        hidden=config.hidden_size,
        heads=config.num_attention_heads,
        kv_heads=config.num_key_value_heads,
        head_dim=config.head_dim,
        eps=config.rms_norm_eps,
        qk_norm=config.model_type == "qwen3",
        inverse_frequency=inverse_frequency(config),
    )


def inverse_frequency(config: Any) -> Tensor:
    """(head_dim / 2), by transformers' own functions."""
    kind = config.rope_parameters["rope_type"]
    if kind != "default":
        return ROPE_INIT_FUNCTIONS[kind](config, "cpu")[0]
    exponents = torch.arange(0, config.head_dim, 2, dtype=torch.float32) / config.head_dim
    return config.rope_parameters["rope_theta"] ** -exponents


def tensors_of(directory: Path) -> dict[str, Tensor]:
    return {name: tensor for shard in sorted(directory.glob("*.safetensors")) for name, tensor in load_file(shard).items()}


def readings(directory: Path, recipe: F32, golden: dict[str, Tensor]) -> dict[str, Tensor]:
    """features (rows, hidden), logits (rows, verdicts) and hardness (rows) of the golden's prompts."""
    shape, tensors = shape_of(directory), tensors_of(directory)
    embedding = tensors["model.embed_tokens.weight"].float()
    computed = Pass(shape, recipe, embedding, golden["ids"], golden["lengths"].tolist())
    for index in range(shape.layers):
        computed.layer(tensors, f"model.layers.{index}.", is_last=index + 1 == shape.layers)
    feature = computed.feature(tensors["model.norm.weight"])
    verdicts = tensors.get("lm_head.weight", embedding)[golden["verdict_ids"].long()]
    router = router_layers(load_file(FIXTURES / "routers" / f"official-{shape.hidden}.safetensors"))
    return {
        "features": feature,
        "logits": verdict_logits(feature, verdicts, recipe),
        "hardness": hardness(feature, router, recipe),
    }


def require_agreement(name: str, exact: dict[str, Tensor], golden: dict[str, Tensor]) -> None:
    for ours, theirs in (("features", "features"), ("logits", "logits"), ("hardness", "hardness_official")):
        apart = (exact[ours] - golden[theirs]).abs().max().item()
        if apart > TOLERANCE:
            raise SystemExit(f"{name}: {ours} in f32 are {apart:.1e} off transformers', the limit is {TOLERANCE:.0e}")


def main() -> None:
    torch.set_num_threads(1)
    for directory in sorted((FIXTURES / "checkpoints").iterdir()):
        if not directory.is_dir():
            continue
        golden = load_file(directory.with_name(directory.name + ".golden.safetensors"))
        require_agreement(directory.name, readings(directory, F32(), golden), golden)
        found = {
            f"{name}_{recipe.name}": tensor
            for recipe in (Bf16(), Fp8())
            for name, tensor in readings(directory, recipe, golden).items()
        }
        save_file(found, directory.with_name(directory.name + ".device.safetensors"))
        summary = {
            recipe: round(torch.cosine_similarity(golden["features"], found[f"features_{recipe}"]).min().item(), 6)
            for recipe in ("bf16", "fp8")
        }
        print(directory.name, json.dumps({"least cosine(feature) to f32": summary}))


if __name__ == "__main__":
    main()
