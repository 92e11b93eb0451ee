"""Trains one guard: language model first, then classifier by its verdict tokens' logits."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import torch
from torch import Tensor, nn
from torch.nn import functional

import progress
from decoder import Decoder
from settings import Schedule

CHECKPOINT_EVERY = 200
CLIP = 1.0


class LanguageLoss(torch.autograd.Function):
    """Mean cross-entropy of a tied head, computed in slices so that the logits of a whole batch never exist at once."""

    SLICE = 1024

    @staticmethod
    def forward(ctx, hidden: Tensor, weight: Tensor, targets: Tensor) -> Tensor:  # type: ignore[override]
        """hidden (tokens, hidden) in bf16, weight (vocab, hidden) in f32, targets (tokens,), negative where there is none."""
        kept = targets >= 0
        hidden_kept, targets = hidden[kept], targets[kept]
        narrow = weight.bfloat16()
        grad_hidden, grad_weight = torch.empty_like(hidden_kept), torch.zeros_like(weight)
        total = torch.zeros(())
        for at in range(0, len(targets), LanguageLoss.SLICE):
            rows, wanted = hidden_kept[at : at + LanguageLoss.SLICE], targets[at : at + LanguageLoss.SLICE, None]
            shares = torch.softmax(rows @ narrow.t(), -1, dtype=torch.float32)
            total -= shares.gather(1, wanted).clamp_min(1e-12).log().sum()
            shares.scatter_add_(1, wanted, torch.full(wanted.shape, -1.0))
            grad = shares.bfloat16()
            grad_hidden[at : at + LanguageLoss.SLICE] = grad @ narrow
            grad_weight += grad.t() @ rows
        ctx.save_for_backward(kept, grad_hidden, grad_weight)
        ctx.count = max(len(targets), 1)
        return total / ctx.count

    @staticmethod
    def backward(ctx, gradient: Tensor):  # type: ignore[override]
        """Gradients for hidden and weight; they were computed in forward."""
        kept, grad_hidden, grad_weight = ctx.saved_tensors
        scale = gradient / ctx.count
        full = torch.zeros(len(kept), grad_hidden.shape[1], dtype=grad_hidden.dtype)
        full[kept] = grad_hidden * scale.to(grad_hidden.dtype)
        return full, grad_weight * scale, None


def language_loss(model: Decoder, hidden: Tensor, ids: Tensor, pad: int) -> Tensor:
    """Next-token loss of hidden states (batch, length, hidden) before the final norm; pads are no targets."""
    targets = ids[:, 1:].masked_fill(ids[:, 1:] == pad, -1)
    normed = model.norm(hidden[:, :-1]).flatten(0, 1)
    return LanguageLoss.apply(normed.bfloat16(), model.embed_tokens.weight, targets.flatten())


def optimizer_for(model: nn.Module, lr: float, weight_decay: float) -> torch.optim.AdamW:
    """AdamW; norms are not decayed."""
    matrices = [p for p in model.parameters() if p.dim() == 2]
    vectors = [p for p in model.parameters() if p.dim() < 2]
    groups = [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=lr, betas=(0.9, 0.98), fused=True)


def warm_cosine(step: int, steps: int, warmup: int) -> float:
    """Share of the peak rate: linear up over warmup, cosine down to 2 %."""
    if step < warmup:
        return (step + 1) / warmup
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))


def train(
    name: str,
    model: nn.Module,
    batches: Callable[[int], Iterator[tuple[Tensor, ...]]],
    loss_of: Callable[..., Tensor],
    steps: int,
    lr: float,
    schedule: Schedule,
    checkpoint: Path,
    average: bool,
) -> None:
    """Runs the steps, resuming from the checkpoint; with average, the model ends as its exponential moving average.

    batches(step) yields batches from that step on, the same ones however often training was interrupted.
    """
    optimizer = optimizer_for(model, lr, schedule.weight_decay)
    mean = {key: value.clone() for key, value in model.state_dict().items()}
    step, seen, last = 0, 0.0, time.monotonic()
    if state := progress.load(checkpoint):
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        mean, step = state["mean"], state["step"]
    model.train()
    source = batches(step)
    while step < steps:
        torch.manual_seed(step)
        rate = lr * warm_cosine(step, steps, min(100, steps // 10 + 1))
        for group in optimizer.param_groups:
            group["lr"] = rate
        with torch.autocast("cpu", torch.bfloat16):
            loss = loss_of(*next(source))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        step += 1
        if average:
            decay = min(schedule.ema_decay, (1 + step) / (10 + step))
            for key, value in model.state_dict().items():
                mean[key].lerp_(value, 1 - decay)
        seen = 0.95 * seen + 0.05 * loss.item() if seen else loss.item()
        if step % 50 == 0:
            progress.say(f"{name} step {step}/{steps} loss {seen:.4f} {(time.monotonic() - last) / 50:.2f} s/step")
            last = time.monotonic()
        if step % CHECKPOINT_EVERY == 0 or step == steps:
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "mean": mean, "step": step}
            progress.save(checkpoint, state)
    if average:
        model.load_state_dict(mean)
    model.eval()


def verdict_loss(logits: Tensor, labels: Tensor, smoothing: float) -> Tensor:
    """Two-way cross-entropy of the verdict logits (batch, 2), safe first, with label smoothing."""
    return functional.cross_entropy(logits.float(), labels, label_smoothing=smoothing)
