"""What guard_head of native/cuda makes of features: verdict logits and the router's hardness. Operands in bf16, sums, norms and outputs in f32."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from device_recipe import F32

EPS = 1e-5  # of layer norm and batch norm, PyTorch's default


@dataclass(frozen=True)
class RouterLayer:
    weight: Tensor  # (outputs, inputs)
    bias: Tensor  # (outputs)
    norm: tuple[Tensor, Tensor] | None  # layer norm's weight and bias, (outputs)
    activation: str  # "relu", "gelu" or "none"


def router_layers(tensors: Mapping[str, Tensor]) -> list[RouterLayer]:
    """Both published networks by their tensors' names; batch norm is folded into the layer before it."""
    if "cls.0.weight_mu" in tensors:
        return [
            RouterLayer(
                tensors[f"cls.{at}.weight_mu"],
                tensors[f"cls.{at}.bias_mu"],
                (tensors[f"cls.{at + 1}.weight"], tensors[f"cls.{at + 1}.bias"]) if at < 6 else None,
                "relu" if at < 6 else "none",
            )
            for at in (0, 3, 6)
        ]
    layers = []
    for at in (0, 4, 8, 12):
        weight, bias = tensors[f"cls.{at}.weight"].float(), tensors[f"cls.{at}.bias"].float()
        if at < 12:
            norm = {name: tensors[f"cls.{at + 1}.{name}"].float() for name in ("weight", "bias", "running_mean", "running_var")}
            factor = norm["weight"] / torch.sqrt(norm["running_var"] + EPS)
            weight, bias = weight * factor[:, None], (bias - norm["running_mean"]) * factor + norm["bias"]
        layers.append(RouterLayer(weight, bias, None, "gelu" if at < 12 else "none"))
    return layers


def verdict_logits(feature: Tensor, rows: Tensor, recipe: F32) -> Tensor:
    """feature (rows, hidden) on the lm_head's rows of the verdict tokens (verdicts, hidden): (rows, verdicts)."""
    return feature @ recipe.store(rows.float()).T


def hardness(feature: Tensor, layers: list[RouterLayer], recipe: F32) -> Tensor:
    """(rows, hidden) to (rows)."""
    x = feature
    for layer in layers:
        x = recipe.store(x) @ recipe.store(layer.weight.float()).T + layer.bias.float()
        if layer.norm is not None:
            x = functional.layer_norm(x, x.shape[-1:], layer.norm[0].float(), layer.norm[1].float(), EPS)
        if layer.activation == "relu":
            x = x.relu()
        elif layer.activation == "gelu":
            x = functional.gelu(x)
    return torch.sigmoid(x)[:, 0]
