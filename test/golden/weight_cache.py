"""Holds a guard's int8 weights on disk against its checkpoint: weight_cache.py CACHE CHECKPOINT.

Reads both with safetensors and quantises the checkpoint's weights with numpy, by the recipe alone: per output channel, symmetric,
rounded to nearest even.
"""

import pathlib
import sys

import numpy
from safetensors import safe_open
from safetensors.torch import load_file

MATRICES = {
    "qkv": ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"],
    "output": ["self_attn.o_proj"],
    "gate_up": ["mlp.gate_proj", "mlp.up_proj"],
    "down": ["mlp.down_proj"],
}


def quantise(weight: numpy.ndarray, limit: numpy.float32) -> tuple[numpy.ndarray, numpy.ndarray]:
    """(outputs, inputs) -> values (inputs, outputs), scales (outputs)."""
    scales = numpy.abs(weight).max(axis=1) / limit
    values = numpy.rint(weight / scales[:, None]).astype(numpy.int8)
    return values.T, scales


def main() -> None:
    cache_path, checkpoint_path = sys.argv[1:]
    weights = {}
    for path in sorted(pathlib.Path(checkpoint_path).glob("*.safetensors")):
        weights |= load_file(path)
    cache = load_file(cache_path)
    with safe_open(cache_path, "np") as file:
        metadata = file.metadata()
    assert metadata["format"] == "saferoute-int8", metadata
    limit = numpy.float32({"8": 127, "7": 63}[metadata["bits"]])
    checksums = cache.pop("checksums")
    assert len(checksums) == len(cache), (len(checksums), len(cache))

    layers = len(cache) // (2 * len(MATRICES))
    for layer in range(layers):
        for matrix, projections in MATRICES.items():
            rows = [weights[f"model.layers.{layer}.{name}.weight"].float().numpy() for name in projections]
            values, scales = quantise(numpy.concatenate(rows), limit)
            name = f"layers.{layer}.{matrix}"
            numpy.testing.assert_array_equal(cache[f"{name}.values"].numpy(), values, name)
            numpy.testing.assert_array_equal(cache[f"{name}.scales"].numpy(), scales, name)
    print(f"{len(cache)} tensors are the checkpoint's")


if __name__ == "__main__":
    main()
