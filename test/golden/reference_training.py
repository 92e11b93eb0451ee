"""Training of both router networks in PyTorch, in double precision, with the random numbers of native/train."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from sklearn.metrics import average_precision_score
from torch import Tensor, nn
from torch.distributions import Normal, kl_divergence
from torch.nn import functional
from transformers import get_linear_schedule_with_warmup

from counter_random import DROPOUT, NOISE, ROWS, WEIGHTS, Stream, below


class Step:
    """The step that a model is at: what its random layers draw for."""

    def __init__(self) -> None:
        self.number = 0


def uniform(inputs: int, shape: tuple[int, ...], seed: int, part: int) -> Tensor:
    bits = Stream(seed, WEIGHTS, part).bits(0, int(np.prod(shape)))
    return rounded((bits / 2**31 - 1) / inputs**0.5).reshape(shape)


def rounded(values: np.ndarray) -> Tensor:
    """As 32-bit floats hold them."""
    return torch.tensor(values.astype(np.float32), dtype=torch.float64)


class BayesianLinear(nn.Module):
    def __init__(self, inputs: int, outputs: int, prior_sigma: float, seed: int, position: int, step: Step) -> None:
        super().__init__()
        weights = Stream(seed, WEIGHTS, 2 * position).gaussians(0, inputs * outputs) * (2 / inputs) ** 0.5
        self.weight_mu = nn.Parameter(rounded(weights).reshape(outputs, inputs))
        self.weight_log_sigma = nn.Parameter(torch.full((outputs, inputs), prior_sigma, dtype=torch.float64).log())
        self.bias_mu = nn.Parameter(uniform(inputs, (outputs,), seed, 2 * position + 1))
        self.bias_log_sigma = nn.Parameter(torch.full((outputs,), prior_sigma, dtype=torch.float64).log())
        self.prior = Normal(torch.tensor(0.0, dtype=torch.float64), prior_sigma)
        self.noise = (Stream(seed, NOISE, 2 * position), Stream(seed, NOISE, 2 * position + 1))
        self.step = step

    def drawn(self, mu: Tensor, log_sigma: Tensor, stream: Stream) -> Tensor:
        noise = torch.tensor(stream.gaussians(self.step.number, mu.numel())).reshape(mu.shape)
        return mu + log_sigma.exp() * noise

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return functional.linear(x, self.weight_mu, self.bias_mu)
        weight = self.drawn(self.weight_mu, self.weight_log_sigma, self.noise[0])
        return functional.linear(x, weight, self.drawn(self.bias_mu, self.bias_log_sigma, self.noise[1]))

    def divergence(self) -> Tensor:
        posteriors = ((self.weight_mu, self.weight_log_sigma), (self.bias_mu, self.bias_log_sigma))
        return sum(kl_divergence(Normal(mu, log_sigma.exp()), self.prior).sum() for mu, log_sigma in posteriors)

    def elements(self) -> int:
        return self.weight_mu.numel() + self.bias_mu.numel()


class MaskedDropout(nn.Module):
    def __init__(self, rate: float, seed: int, position: int, step: Step) -> None:
        super().__init__()
        self.rate, self.step = rate, step
        self.random = Stream(seed, DROPOUT, position)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        bits = self.random.bits(self.step.number, x.numel()).astype(np.int64)
        kept = torch.tensor(bits >= int(self.rate * 2**32)).reshape(x.shape)
        return x * kept / (1 - self.rate)


def plain_linear(inputs: int, outputs: int, seed: int, position: int) -> nn.Linear:
    layer = nn.Linear(inputs, outputs, dtype=torch.float64)
    layer.weight.data = uniform(inputs, (outputs, inputs), seed, 2 * position)
    layer.bias.data = uniform(inputs, (outputs,), seed, 2 * position + 1)
    return layer


class Router(nn.Module):
    def __init__(self, layers: list[nn.Module], step: Step) -> None:
        super().__init__()
        self.cls = nn.Sequential(*layers).double()
        self.step = step

    def forward(self, x: Tensor) -> Tensor:
        return self.cls(x).squeeze(-1)

    def mean_divergence(self) -> Tensor:
        layers = [layer for layer in self.cls if isinstance(layer, BayesianLinear)]
        return sum(layer.divergence() for layer in layers) / max(1, sum(layer.elements() for layer in layers))


def official_router(inputs: int, seed: int) -> Router:
    step = Step()
    layers: list[nn.Module] = []
    for position, outputs in ((0, 512), (3, 512), (6, 1)):
        layers.append(BayesianLinear(inputs, outputs, 0.1, seed, position, step))
        if outputs > 1:
            layers += [nn.LayerNorm(outputs), nn.ReLU()]
        inputs = outputs
    return Router(layers, step)


def card_router(inputs: int, seed: int) -> Router:
    step = Step()
    layers: list[nn.Module] = []
    for position, outputs, rate in ((0, 1024, 0.3), (4, 512, 0.3), (8, 256, 0.2)):
        layers += [plain_linear(inputs, outputs, seed, position), nn.BatchNorm1d(outputs), nn.GELU()]
        layers.append(MaskedDropout(rate, seed, position + 3, step))
        inputs = outputs
    return Router([*layers, plain_linear(inputs, 1, seed, 12)], step)


def focal_loss(logits: Tensor, targets: Tensor, alpha: float, gamma: float) -> Tensor:
    entropy = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    p = torch.sigmoid(logits)
    p_t = p * targets + (1 - p) * (1 - targets)
    alpha_t = alpha * targets + (1 - alpha) * (1 - targets)
    return (alpha_t * (1 - p_t) ** gamma * entropy).mean()


def drawn_rows(targets: np.ndarray, rows: np.ndarray, balanced: bool, seed: int, epoch: int) -> np.ndarray:
    bits = Stream(seed, ROWS, 0).bits(epoch, 2 * len(rows))
    if not balanced:
        rows = rows.copy()
        for left in range(len(rows), 1, -1):
            other = int(below(bits[left - 1], left))
            rows[left - 1], rows[other] = rows[other], rows[left - 1]
        return rows
    hard = targets[rows] > 0.5
    classes = (rows[~hard], rows[hard])
    coins, words = bits[0::2] >> 31, bits[1::2]
    return np.array([classes[coin][below(word, len(classes[coin]))] for coin, word in zip(coins, words, strict=True)])


@dataclass
class Recipe:
    kind: str
    loss: str
    balanced: bool
    batch_rows: int
    epochs: int
    learning_rate: float
    warmup_steps: int = 0
    gradient_clip: float | None = None
    first_period: int = 1
    patience: int | None = None
    seed: int = 0


@dataclass
class Trained:
    losses: list[float] = field(default_factory=list)  # mean of each epoch
    rates: list[float] = field(default_factory=list)  # at the last step of each epoch
    auprcs: list[float] = field(default_factory=list)
    kept_epoch: int = 0
    state: dict[str, Tensor] = field(default_factory=dict)


def train(features: np.ndarray, targets: np.ndarray, rows: np.ndarray, valid: np.ndarray, recipe: Recipe) -> Trained:
    model = {"official": official_router, "card": card_router}[recipe.kind](features.shape[1], recipe.seed)
    x, t = torch.tensor(features, dtype=torch.float64), torch.tensor(targets, dtype=torch.float64)
    optimizer = torch.optim.AdamW(model.parameters(), lr=recipe.learning_rate, weight_decay=0.01)
    steps = -(-len(rows) // recipe.batch_rows)
    per_step = per_epoch = None
    if recipe.kind == "official":
        per_step = get_linear_schedule_with_warmup(optimizer, recipe.warmup_steps, recipe.epochs * steps)
    else:
        per_epoch = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, recipe.first_period, 2, 1e-6)
    trained = Trained()
    for epoch in range(recipe.epochs):
        losses = []
        order = drawn_rows(targets, rows, recipe.balanced, recipe.seed, epoch)
        for batch in np.split(order, range(recipe.batch_rows, len(order), recipe.batch_rows)):
            model.train()
            logits = model(x[batch])
            if recipe.loss == "focal":
                loss = focal_loss(logits, t[batch], 0.75, 2)
            else:
                loss = functional.binary_cross_entropy_with_logits(logits, t[batch])
            loss = loss + 0.01 * model.mean_divergence()
            optimizer.zero_grad()
            loss.backward()
            if recipe.gradient_clip is not None:
                nn.utils.clip_grad_norm_(model.parameters(), recipe.gradient_clip)
            trained_rate = optimizer.param_groups[0]["lr"]
            optimizer.step()
            if per_step is not None:
                per_step.step()
            model.step.number += 1
            losses.append(loss.item())
        if per_epoch is not None:
            per_epoch.step()
        trained.losses.append(float(np.mean(losses)))
        trained.rates.append(trained_rate)
        if len(valid) > 0:
            model.eval()
            with torch.no_grad():
                trained.auprcs.append(float(average_precision_score(targets[valid] > 0.5, model(x[valid]).numpy())))
        if recipe.patience is None or trained.auprcs[-1] > max(trained.auprcs[:-1], default=-1):
            trained.kept_epoch = epoch + 1
            trained.state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        elif epoch + 1 - trained.kept_epoch >= recipe.patience:
            break
    return trained
