"""What the decoder of native/cuda computes, in PyTorch on a CPU: rounded where its kernels round, summed in another order.

A recipe says how products take their operands and what is left in bf16; `F32` rounds nothing and is the reference. All
tensors are f32 and hold numbers of the narrower formats exactly. Prompts lie back to back, as in a batch of the device.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import e, log2

import torch
from torch import Tensor

FP8_LARGEST = 448.0
LEAST_MAGNITUDE = 1e-30  # row_vectors.cuh: a row below it is one of zeros
CHUNK = 256  # keys whose softmax is summed up on its own
HOPPER_STEP = 32  # inputs that one FP8 instruction adds up
HOPPER_DROPPED_BITS = 10  # of the 23 of an f32 sum: Hopper keeps about 14 in all (arXiv 2412.19437, 3.3.2)


@dataclass(frozen=True)
class Shape:
    """The switches of a decoder that the recipe needs; inverse_frequency is (head_dim / 2)."""

    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    eps: float
    qk_norm: bool
    inverse_frequency: Tensor


def bf16(x: Tensor) -> Tensor:
    return x.bfloat16().float()


def fp8_rows(x: Tensor) -> tuple[Tensor, Tensor]:
    """Rows (rows, size) as e4m3 and a scale each, (rows, 1)."""
    largest = x.abs().amax(-1, keepdim=True)
    zeros = largest < LEAST_MAGNITUDE
    scaled = x * torch.where(zeros, 0.0, FP8_LARGEST / largest.clamp_min(LEAST_MAGNITUDE))
    scale = torch.where(zeros, 1.0, largest * (1 / FP8_LARGEST))
    return scaled.clamp(-FP8_LARGEST, FP8_LARGEST).to(torch.float8_e4m3fn).float(), scale


def fp8_weights(w: Tensor) -> tuple[Tensor, Tensor]:
    """Rows (outputs, inputs) as e4m3 and their scales (outputs). Divided, where activations are multiplied: ties are many in weights of bf16."""
    largest = w.abs().amax(-1)
    scales = torch.where(largest > 0, largest / FP8_LARGEST, 1.0)
    return (w / scales[:, None]).clamp(-FP8_LARGEST, FP8_LARGEST).to(torch.float8_e4m3fn).float(), scales


def exact_sums(x: Tensor, w: Tensor) -> Tensor:
    """x (tokens, inputs) · w (outputs, inputs)ᵀ, both of bf16 or e4m3. Such numbers multiply exactly in f32, on a CPU's bf16 units too."""
    before = torch.backends.mkldnn.matmul.fp32_precision
    torch.backends.mkldnn.matmul.fp32_precision = "bf16"
    try:
        return x @ w.T
    finally:
        torch.backends.mkldnn.matmul.fp32_precision = before


def hopper_sums(x: Tensor, w: Tensor) -> Tensor:
    """The same with sums cut to 14 bits after every instruction, as the tensor cores of Hopper keep them in FP8."""
    sums = torch.zeros(x.shape[0], w.shape[0])
    kept = ~((1 << HOPPER_DROPPED_BITS) - 1)
    steps_of_x = torch.nn.functional.pad(x, (0, -x.shape[1] % HOPPER_STEP)).view(x.shape[0], -1, HOPPER_STEP).transpose(0, 1)
    steps_of_w = torch.nn.functional.pad(w, (0, -w.shape[1] % HOPPER_STEP)).T.reshape(-1, HOPPER_STEP, w.shape[0])
    for begin in range(0, x.shape[0], 256):  # rows whose sums stay in the cache
        block = sums[begin : begin + 256]
        for rows, columns in zip(steps_of_x[:, begin : begin + 256].contiguous(), steps_of_w):
            block.addmm_(rows, columns)
            block.view(torch.int32).bitwise_and_(kept)
    return sums


class F32:
    """Nothing is rounded."""

    name = "f32"
    rounds = False

    def store(self, x: Tensor) -> Tensor:
        """What lies in memory between two kernels."""
        return x

    def matrix(self, w: Tensor) -> tuple[Tensor, Tensor | None]:
        """Weights (outputs, inputs) as they are packed, with their scales (outputs) where the format has some."""
        return w, None

    def multiply(self, x: Tensor, w: tuple[Tensor, Tensor | None], outer: Tensor | float = 1.0) -> Tensor:
        """(x * outer) · wᵀ; outer (tokens, 1) cancels in the rounding of FP8 rows, and is left out of it there."""
        return x * outer @ w[0].T


class Bf16(F32):
    """bf16 operands, f32 sums, bf16 outputs."""

    name = "bf16"
    rounds = True

    def store(self, x: Tensor) -> Tensor:
        return bf16(x)

    def matrix(self, w: Tensor) -> tuple[Tensor, Tensor | None]:
        return bf16(w), None

    def multiply(self, x: Tensor, w: tuple[Tensor, Tensor | None], outer: Tensor | float = 1.0) -> Tensor:
        return bf16(exact_sums(bf16(x * outer), w[0]))


class Fp8(Bf16):
    """e4m3 operands with a scale to each token and each output, bf16 outputs; everything else as Bf16."""

    name = "fp8"
    sums = staticmethod(exact_sums)

    def matrix(self, w: Tensor) -> tuple[Tensor, Tensor | None]:
        return fp8_weights(w)

    def multiply(self, x: Tensor, w: tuple[Tensor, Tensor | None], outer: Tensor | float = 1.0) -> Tensor:
        values, scales = fp8_rows(x)
        return bf16(self.sums(values, w[0]) * (scales * outer) * w[1])


class Fp8OnHopper(Fp8):
    """Fp8 with the sums of Hopper's tensor cores."""

    name = "fp8-hopper"
    sums = staticmethod(hopper_sums)


def inverse_rms(x: Tensor, eps: float) -> Tensor:
    """Of rows (..., size): (..., 1)."""
    return 1 / torch.sqrt(x.square().mean(-1, keepdim=True) + eps)


def rotate(x: Tensor, angles: Tensor) -> Tensor:
    """x (tokens, heads, head_dim) by angles (tokens, 1, head_dim / 2): pairs are half a head apart."""
    low, high = x.chunk(2, -1)
    cos, sin = angles.cos(), angles.sin()
    return torch.cat((low * cos - high * sin, high * cos + low * sin), -1)


def attend(q: Tensor, k: Tensor, v: Tensor, recipe: F32) -> Tensor:
    """Causal attention of one prompt: q (heads, tokens, head_dim), k and v (heads, tokens, head_dim), to q's shape.

    Weights are rounded to bf16 relative to the largest score of the chunk's blocks up to their own, while their sum takes
    them as they are: that is all in which paged_attention differs from the formula.
    """
    heads, tokens, head_dim = q.shape
    scale = log2(e) / head_dim**0.5
    scores = (q @ k.transpose(1, 2)).masked_fill_(torch.ones(tokens, tokens, dtype=torch.bool).triu(1), float("-inf"))
    if not recipe.rounds:
        return torch.softmax(scores * head_dim**-0.5, -1) @ v
    keys = 64 if head_dim <= 128 else 32
    padding = -tokens % CHUNK
    blocks = torch.nn.functional.pad(scores, (0, padding), value=float("-inf")).view(heads, tokens, -1, CHUNK // keys, keys)
    largest = blocks.amax(-1).cummax(-1).values  # (heads, tokens, chunks, blocks): of the chunk so far
    base = largest.clamp_min(torch.finfo(torch.float32).min)  # no visible key: any number will do
    weights = torch.exp2((blocks - base[..., None]) * scale)
    join = torch.exp2((base - largest.amax((2, 3), keepdim=True)) * scale)[..., None]
    total = (weights * join).sum((2, 3, 4))
    mixed = (bf16(weights) * join).view(heads, tokens, -1)[..., :tokens] @ v
    return bf16(mixed * (1 / total)[..., None])


class Pass:
    """One recipe's way through the layers, for prompts (tokens) back to back of `lengths` (rows)."""

    def __init__(self, shape: Shape, recipe: F32, embedding: Tensor, ids: Tensor, lengths: Sequence[int]) -> None:
        self.shape, self.recipe, self.lengths = shape, recipe, list(lengths)
        self.residual = recipe.store(embedding[ids.long()])  # (tokens, hidden), from here on f32
        positions = torch.cat([torch.arange(length, dtype=torch.float32) for length in self.lengths])
        self.angles = (positions[:, None] * shape.inverse_frequency)[:, None]
        self.last = torch.tensor(self.lengths).cumsum(0) - 1

    def layer(self, tensors: Mapping[str, Tensor], prefix: str, is_last: bool) -> None:
        """Takes the stream through the layer whose tensors' names begin with `prefix`; behind the last one it holds last tokens only."""
        shape, recipe = self.shape, self.recipe

        def matrix(*names: str) -> tuple[Tensor, Tensor | None]:
            return recipe.matrix(torch.cat([tensors[f"{prefix}{name}.weight"].float() for name in names]))

        def weighted(x: Tensor, name: str) -> Tensor:
            return x * tensors[f"{prefix}{name}.weight"].float()

        def normed_product(norm: str, *names: str) -> Tensor:
            return recipe.multiply(weighted(self.residual, norm), matrix(*names), inverse_rms(self.residual, shape.eps))

        qkv = normed_product("input_layernorm", "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")
        heads = qkv.view(len(qkv), -1, shape.head_dim)
        q, k, v = heads.split((shape.heads, shape.kv_heads, shape.kv_heads), 1)
        if shape.qk_norm:
            q = weighted(q, "self_attn.q_norm") * inverse_rms(q, shape.eps)
            k = weighted(k, "self_attn.k_norm") * inverse_rms(k, shape.eps)
        q, k = (recipe.store(rotate(x, self.angles)) for x in (q, k))
        attended = self.attended(q, k, v)
        if is_last:
            self.residual, attended = self.residual[self.last], attended[self.last]
        self.residual = self.residual + recipe.multiply(attended, matrix("self_attn.o_proj"))
        gate, up = normed_product("post_attention_layernorm", "mlp.gate_proj", "mlp.up_proj").chunk(2, -1)
        self.residual = self.residual + recipe.multiply(torch.nn.functional.silu(gate) * up, matrix("mlp.down_proj"))

    def attended(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Each prompt by itself: (tokens, heads * head_dim)."""
        group = self.shape.heads // self.shape.kv_heads
        rows = []
        for row in zip(*(x.split(self.lengths) for x in (q, k, v))):
            queries, keys, values = (x.transpose(0, 1) for x in row)
            keys, values = (x.repeat_interleave(group, 0) for x in (keys, values))
            rows.append(attend(queries, keys, values, self.recipe).transpose(0, 1).flatten(1))
        return torch.cat(rows)

    def last_tokens(self) -> Tensor:
        """The stream of each prompt's last token, (rows, hidden)."""
        return self.residual if len(self.residual) == len(self.lengths) else self.residual[self.last]

    def feature(self, final_norm: Tensor) -> Tensor:
        """After the last layer: (rows, hidden), f32 in every recipe."""
        last = self.last_tokens()
        return last * final_norm.float() * inverse_rms(last, self.shape.eps)
