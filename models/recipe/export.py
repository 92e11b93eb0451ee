"""Writes a pair in the layouts of Hugging Face, and reads a guard back for evaluation."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import Qwen3Config, Qwen3ForCausalLM
from transformers.utils import logging

from decoder import Decoder
from settings import MAX_POSITIONS, Shape
from vocabulary import END_OF_TEXT, SAFE, TURN_END, UNSAFE, save_tokenizer

AGREEMENT = 1e-3

logging.disable_progress_bar()


def to_transformers(model: Decoder, tokenizer: Tokenizer) -> Qwen3ForCausalLM:
    """The same weights in transformers' model, in bf16."""
    shape = model.shape
    config = Qwen3Config(
        vocab_size=shape.vocab_size,
        hidden_size=shape.hidden_size,
        intermediate_size=shape.intermediate_size,
        num_hidden_layers=shape.num_hidden_layers,
        num_attention_heads=shape.num_attention_heads,
        num_key_value_heads=shape.num_key_value_heads,
        head_dim=shape.head_dim,
        max_position_embeddings=MAX_POSITIONS,
        rms_norm_eps=shape.rms_norm_eps,
        rope_parameters={"rope_type": "default", "rope_theta": shape.rope_theta},
        tie_word_embeddings=True,
        attention_bias=False,
        bos_token_id=None,
        eos_token_id=tokenizer.token_to_id(TURN_END),
        pad_token_id=tokenizer.token_to_id(END_OF_TEXT),
    )
    exported = Qwen3ForCausalLM(config)
    missing, unexpected = exported.model.load_state_dict(model.state_dict(), strict=False)
    if missing or unexpected:
        raise ValueError(f"tensors do not match: missing {missing}, unexpected {unexpected}")
    exported.tie_weights()
    return exported.bfloat16()


def export_guard(model: Decoder, tokenizer: Tokenizer, folder: Path) -> None:
    """Writes one guard's directory, whole or not at all, after a check against transformers' forward pass."""
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    exported = to_transformers(model, tokenizer)
    exported.save_pretrained(partial)
    (partial / "generation_config.json").unlink(missing_ok=True)
    save_tokenizer(tokenizer, partial, MAX_POSITIONS)
    (partial / "guard.json").write_text(json.dumps({"verdict": {"safe": SAFE, "unsafe": UNSAFE}}, indent=2) + "\n")
    check_agreement(load_guard(partial, model.shape), Qwen3ForCausalLM.from_pretrained(partial, dtype=torch.float32))
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(partial, folder)


def load_guard(folder: Path, shape: Shape) -> Decoder:
    """A guard's exported weights in this recipe's decoder, in f32."""
    weights = load_file(folder / "model.safetensors")
    model = Decoder(shape)
    model.load_state_dict({key.removeprefix("model."): value.float() for key, value in weights.items() if key != "lm_head.weight"})
    return model.eval()


@torch.no_grad()
def check_agreement(model: Decoder, exported: Qwen3ForCausalLM) -> None:
    """Raises unless both decoders give the same final hidden states for the same random ids."""
    ids = torch.randint(0, model.shape.vocab_size, (2, 96), generator=torch.Generator().manual_seed(0))
    theirs = exported.eval()(ids, output_hidden_states=True).hidden_states[-1]
    difference = (model.norm(model(ids)) - theirs).abs().max().item()
    if difference > AGREEMENT:
        raise ValueError(f"the exported guard differs from the trained one by {difference}")
