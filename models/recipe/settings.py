"""Everything that fixes a run: shapes, seeds, shares of the data, schedules."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace

SEED = 20250212
MAX_POSITIONS = 2048


@dataclass(frozen=True)
class Shape:
    """Shape of one Qwen3 decoder; the names are those of Qwen3Config."""

    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int
    intermediate_size: int
    vocab_size: int
    rms_norm_eps: float = 1e-6
    rope_theta: float = 10_000.0


@dataclass(frozen=True)
class Stage:
    """One stage of classifier training. Batches are counted in tokens, padding included."""

    steps: int
    lr: float
    batch_tokens: int
    harmful_share: float


@dataclass(frozen=True)
class Distillation:
    """Pre-training by the teacher. Batches are counted in tokens, padding included."""

    steps: int
    lr: float
    batch_tokens: int


@dataclass(frozen=True)
class Schedule:
    """How one guard is trained: pre-training as a language model or by the teacher, then two classifier stages.

    The second stage has smaller batches, hence more steps for the same work, and fewer harmful rows, because a guard
    trained on equal shares flags too much of the sources that it has not seen.
    """

    shape: Shape
    finetune: Stage
    polish: Stage
    pretrain_epochs: float = 0.0
    distil: Distillation | None = None
    teacher_weight: float = 0.0
    pretrain_tokens: int = 8192
    pretrain_lr: float = 2e-3
    weight_decay: float = 0.1
    embed_dropout: float = 0.1
    residual_dropout: float = 0.1
    label_smoothing: float = 0.05
    lm_weight: float = 0.1
    ema_decay: float = 0.998


@dataclass(frozen=True)
class Settings:
    """One run of the recipe."""

    small: Schedule
    large: Schedule
    router_rounds: int = 1
    rows_limit: int | None = None
    seed: int = SEED
    roles: tuple[str, ...] = field(default=("small", "large"))

    def as_dict(self) -> dict[str, object]:
        """Plain values, written into results.json."""
        return asdict(self)


FULL = Settings(
    # sizes: hidden, layers, heads, kv heads, head_dim, intermediate
    small=Schedule(
        shape=Shape(64, 2, 2, 1, 40, 192, vocab_size=6144),
        pretrain_epochs=1,
        finetune=Stage(500, 8e-4, 8192, 0.5),
        polish=Stage(300, 4e-4, 4096, 0.35),
    ),
    large=Schedule(
        shape=Shape(384, 4, 6, 6, 64, 1024, vocab_size=16_384),
        distil=Distillation(1000, 1e-3, 4096),
        finetune=Stage(300, 4e-4, 4096, 0.5),
        polish=Stage(200, 2e-4, 4096, 0.45),
        embed_dropout=0.05,
        residual_dropout=0.05,
        lm_weight=0.0,
        teacher_weight=2.0,
    ),
)

QUICK_STAGE = Stage(5, 8e-4, 2048, 0.5)
QUICK = replace(
    FULL,
    small=replace(FULL.small, pretrain_epochs=0.02, finetune=QUICK_STAGE, polish=QUICK_STAGE),
    large=replace(FULL.large, distil=Distillation(5, 1e-3, 2048), finetune=QUICK_STAGE, polish=QUICK_STAGE),
    rows_limit=2000,
)
