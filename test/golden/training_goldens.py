"""Writes test/fixtures/training: what PyTorch, transformers and scikit-learn make of layers, losses, steps and whole trainings.

Each file is lines of `name value value …`. References are computed in double precision from inputs that floats hold exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import average_precision_score
from torch import Tensor, nn
from torch.nn import functional
from transformers import get_linear_schedule_with_warmup

import reference_training as reference
from counter_random import NOISE, ROWS, WEIGHTS, Stream

OUT = Path(__file__).parent.parent / "fixtures" / "training"
SEED = 0x1234_5678_9ABC_DEF0
ROWS_IN_BATCH, INPUTS, OUTPUTS = 13, 37, 21  # no multiple of a vector among them

torch.manual_seed(7)
rng = np.random.default_rng(7)


class Goldens:
    def __init__(self, name: str) -> None:
        self.path = OUT / f"{name}.txt"
        self.lines: list[str] = []

    def add(self, name: str, values: Iterable[float] | Tensor | np.ndarray | float) -> None:
        array = np.atleast_1d(np.asarray(values.detach() if isinstance(values, Tensor) else values)).reshape(-1)
        self.lines.append(" ".join([name, *(format(float(value), ".10g") for value in array)]))

    def write(self) -> None:
        self.path.write_text("\n".join(self.lines) + "\n")


def floats(*shape: int, scale: float = 1.0) -> Tensor:
    return torch.tensor((rng.standard_normal(shape) * scale).astype(np.float32), dtype=torch.float64)


def random_numbers() -> None:
    goldens = Goldens("random")
    goldens.add("bits", Stream(SEED, ROWS, 5).bits(9, 75))
    goldens.add("gaussians", Stream(SEED, NOISE, 3).gaussians(11, 200))
    goldens.add("initial_gaussians", Stream(1, WEIGHTS, 0).gaussians(0, 70))
    goldens.write()


def pass_through(goldens: Goldens, name: str, layer: nn.Module, x: Tensor, penalty: Callable[[], Tensor] | None = None) -> None:
    """A forward pass and the gradients of sum(y * dy) + penalty."""
    x.requires_grad_()
    y = layer(x)
    dy = floats(*y.shape)
    (y * dy).sum().backward() if penalty is None else ((y * dy).sum() + penalty()).backward()
    for key, value in (("x", x), ("y", y), ("dy", dy), ("dx", x.grad)):
        goldens.add(f"{name}.{key}", value)
    if penalty is not None:
        goldens.add(f"{name}.penalty", penalty())
    for key, parameter in layer.named_parameters():
        goldens.add(f"{name}.{key}", parameter)
        goldens.add(f"{name}.d_{key}", parameter.grad)


def scattered(layer: nn.Module) -> nn.Module:
    """Parameters that are no longer the default ones or zeros."""
    for parameter in layer.parameters():
        parameter.data += floats(*parameter.shape, scale=0.3)
        parameter.data = parameter.data.float().double()
    return layer


def layers() -> None:
    goldens = Goldens("layers")
    step = reference.Step()
    step.number = 17
    linear = scattered(reference.plain_linear(INPUTS, OUTPUTS, SEED, 4))
    pass_through(goldens, "linear", linear, floats(ROWS_IN_BATCH, INPUTS))
    bayesian = scattered(reference.BayesianLinear(INPUTS, OUTPUTS, 0.1, SEED, 3, step))
    weight = 0.37 / bayesian.elements()
    pass_through(goldens, "bayesian", bayesian, floats(ROWS_IN_BATCH, INPUTS), lambda: weight * bayesian.divergence())
    goldens.add("bayesian.mean_y", bayesian.eval()(last_input(goldens, "bayesian")))
    norm = scattered(nn.LayerNorm(INPUTS).double())
    pass_through(goldens, "layer_norm", norm, floats(ROWS_IN_BATCH, INPUTS, scale=3) + 5)
    batch_norm = scattered(nn.BatchNorm1d(INPUTS).double())
    batch_norm(last_input(goldens, "layer_norm"))  # running statistics of two batches
    pass_through(goldens, "batch_norm", batch_norm, floats(ROWS_IN_BATCH, INPUTS, scale=2) - 1)
    goldens.add("batch_norm.running_mean", batch_norm.running_mean)
    goldens.add("batch_norm.running_var", batch_norm.running_var)
    goldens.add("batch_norm.eval_y", batch_norm.eval()(last_input(goldens, "batch_norm")))
    pass_through(goldens, "relu", nn.ReLU(), floats(ROWS_IN_BATCH, INPUTS))
    pass_through(goldens, "gelu", nn.GELU(), floats(ROWS_IN_BATCH, INPUTS, scale=2.5))
    pass_through(goldens, "dropout", reference.MaskedDropout(0.3, SEED, 7, step), floats(ROWS_IN_BATCH, INPUTS))
    goldens.write()


def last_input(goldens: Goldens, name: str) -> Tensor:
    line = next(line for line in goldens.lines if line.startswith(f"{name}.x "))
    values = torch.tensor([float(value) for value in line.split()[1:]], dtype=torch.float64)
    return values.float().double().reshape(ROWS_IN_BATCH, -1)


def losses() -> None:
    goldens = Goldens("losses")
    logits = torch.cat([floats(30, scale=4), torch.tensor([0.0, 60.0, -60.0, 60.0, -60.0, 120.0], dtype=torch.float64)])
    hard = torch.tensor([*(float(i % 2) for i in range(30)), 1, 1, 0, 0, 1, 0], dtype=torch.float64)
    soft = torch.tensor([*([0.0, 0.5, 1.0] * 10), 0.5, 1, 0, 0.5, 0.5, 1], dtype=torch.float64)
    goldens.add("logits", logits)
    for name, targets in (("hard", hard), ("soft", soft)):
        goldens.add(f"{name}.targets", targets)
        for kind, loss_of in (
            ("bce", functional.binary_cross_entropy_with_logits),
            ("focal", lambda z, t: reference.focal_loss(z, t, 0.75, 2)),
            ("focal_sharp", lambda z, t: reference.focal_loss(z, t, 0.25, 0.5)),
        ):
            # At the extremes PyTorch's focal loss divides zero by zero; they are judged for BCE alone.
            z = (logits if kind == "bce" else logits[:31]).clone().requires_grad_()
            loss = loss_of(z, targets[: len(z)])
            loss.backward()
            goldens.add(f"{name}.{kind}.loss", loss)
            goldens.add(f"{name}.{kind}.gradient", z.grad)
    goldens.write()


def steps() -> None:
    """30 steps of AdamW on given gradients, clipped and not; values after each."""
    goldens = Goldens("adamw")
    for name, clip, decay in (("plain", None, 0.01), ("clipped", 1.0, 0.1)):
        parameters = [nn.Parameter(floats(19)), nn.Parameter(floats(6, scale=0.1))]
        optimizer = torch.optim.AdamW(parameters, lr=3e-3, weight_decay=decay)
        schedule = get_linear_schedule_with_warmup(optimizer, 4, 30)
        for index, parameter in enumerate(parameters):
            goldens.add(f"{name}.{index}.initial", parameter)
        for step in range(30):
            for index, parameter in enumerate(parameters):
                # Some below and some above the clip, some tiny, where epsilon counts.
                parameter.grad = floats(len(parameter), scale=1e-7 if step % 7 == 3 else 0.1 * (1 + step % 5))
                goldens.add(f"{name}.{index}.gradient.{step}", parameter.grad)
            if clip is not None:
                nn.utils.clip_grad_norm_(parameters, clip)
            optimizer.step()
            schedule.step()
            for index, parameter in enumerate(parameters):
                goldens.add(f"{name}.{index}.value.{step}", parameter)
    goldens.write()


def schedules() -> None:
    goldens = Goldens("schedules")

    def rates(count: int, make: Callable[[torch.optim.Optimizer], torch.optim.lr_scheduler.LRScheduler]) -> list[float]:
        optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.25)
        schedule = make(optimizer)
        seen = []
        for _ in range(count):
            seen.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            schedule.step()
        return seen

    warm_restarts = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts
    goldens.add("linear", rates(30, lambda optimizer: get_linear_schedule_with_warmup(optimizer, 7, 30)))
    goldens.add("linear_without_warmup", rates(30, lambda optimizer: get_linear_schedule_with_warmup(optimizer, 0, 30)))
    goldens.add("cosine", rates(30, lambda optimizer: warm_restarts(optimizer, 3, 2, 1e-3)))
    goldens.add("cosine_of_equal_periods", rates(30, lambda optimizer: warm_restarts(optimizer, 4, 1, 1e-3)))
    goldens.write()


def precisions() -> None:
    goldens = Goldens("average_precision")
    for name, scores in (
        ("distinct", rng.standard_normal(200)),
        ("tied", rng.integers(0, 6, 200).astype(float)),
        ("constant", np.zeros(40)),
    ):
        hard = rng.random(len(scores)) < 0.2
        goldens.add(f"{name}.scores", scores.astype(np.float32))
        goldens.add(f"{name}.hard", hard.astype(float))
        goldens.add(f"{name}.value", average_precision_score(hard, scores.astype(np.float32)))
    goldens.write()


def trainings() -> None:
    goldens = Goldens("trainings")
    count, width = 72, 12
    features = rng.standard_normal((count, width)).astype(np.float32)
    hard = features[:, 0] + 0.5 * features[:, 1] * features[:, 2] + 0.3 * rng.standard_normal(count) > 0.6
    targets = hard.astype(np.float32)
    rows = np.arange(0, 48)
    goldens.add("features", features)
    goldens.add("targets", targets)
    common = {"epochs": 24, "seed": SEED}
    for name, recipe in {
        "official": reference.Recipe("official", "bce", True, 48, learning_rate=1e-3, warmup_steps=5, **common),
        "official_batches": reference.Recipe("official", "bce", False, 20, learning_rate=1e-3, warmup_steps=5, **common),
        "card": reference.Recipe(
            "card", "focal", True, 20, learning_rate=5e-4, gradient_clip=1.0, first_period=3, patience=6, **common
        ),
    }.items():
        trained = reference.train(features, targets, rows, np.arange(48, count), recipe)
        goldens.add(f"{name}.losses", trained.losses)
        goldens.add(f"{name}.rates", trained.rates)
        goldens.add(f"{name}.auprcs", trained.auprcs)
        goldens.add(f"{name}.kept_epoch", trained.kept_epoch)
        for key, tensor in trained.state.items():
            if not key.endswith("num_batches_tracked"):
                goldens.add(f"{name}.norm.{key}", tensor.norm())
                goldens.add(f"{name}.sample.{key}", tensor.reshape(-1)[:: max(1, tensor.numel() // 20)])
    goldens.write()


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    for write in (random_numbers, layers, losses, steps, schedules, precisions, trainings):
        write()


if __name__ == "__main__":
    main()
