"""Loads a router file that this package wrote into the published network that it is for, as PyTorch users would.

`load_router.py KIND WIDTH ROUTER FEATURES OUT`: every tensor that the network has must be in the file under its own name, and no other;
what the network makes of FEATURES (tensor `feature`, f32) goes to OUT (tensor `hardness`, f32).
"""

from __future__ import annotations

import sys

import torch
from routers import KINDS, PosteriorLinear, Router, batch_norm, layer_norm, linear
from safetensors.torch import load_file, save_file
from torch import nn


def published_official(inputs: int) -> Router:
    """SafeRoute, arXiv 2502.12464, section 4.1: 512 units in both hidden layers."""
    return Router(
        [
            PosteriorLinear(inputs, 512), layer_norm(512), nn.ReLU(),
            PosteriorLinear(512, 512), layer_norm(512), nn.ReLU(),
            PosteriorLinear(512, 1),
        ]
    ).eval()  # fmt: skip


def published_card(inputs: int) -> Router:
    """The card "SafeRoute Router Model": 1024, 512 and 256 units."""
    return Router(
        [
            linear(inputs, 1024), batch_norm(1024), nn.GELU(), nn.Dropout(0.3),
            linear(1024, 512), batch_norm(512), nn.GELU(), nn.Dropout(0.3),
            linear(512, 256), batch_norm(256), nn.GELU(), nn.Dropout(0.2),
            linear(256, 1),
        ]
    ).eval()  # fmt: skip


PUBLISHED = dict(zip(KINDS, (published_official, published_card), strict=True))


def main(kind: str, width: str, router_file: str, features_file: str, out: str) -> None:
    router = PUBLISHED[kind](int(width))
    router.load_state_dict(load_file(router_file), strict=True)
    save_file({"hardness": router.hardness(load_file(features_file)["feature"]).contiguous()}, out)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(*sys.argv[1:])
