"""Checkpoints that are written atomically, and timings of the steps."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch


def write_atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Writes beside the path first, so that a file is either whole or not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    write(partial)
    os.replace(partial, path)


def save(path: Path, state: dict[str, Any]) -> None:
    """Saves tensors and plain values."""
    write_atomically(path, lambda partial: torch.save(state, partial))


def load(path: Path) -> dict[str, Any] | None:
    """What save wrote, or None."""
    return torch.load(path, weights_only=True) if path.exists() else None


def write_json(path: Path, value: object) -> None:
    """Indented JSON with a line end."""
    write_atomically(path, lambda partial: partial.write_text(json.dumps(value, indent=2) + "\n"))


def say(text: str) -> None:
    """One line of progress with the time of day."""
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


Timed = Callable[[str, Callable[[], None]], None]
"""Runs a named step."""


class Timings:
    """Seconds that each step took, by the clock and of processor time, kept over restarts."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.steps: dict[str, dict[str, float]] = json.loads(path.read_text()) if path.exists() else {}

    def timed(self, step: str, do: Callable[[], None]) -> None:
        """Runs a step and adds to its time."""
        wall, processor = time.monotonic(), time.process_time()
        say(f"{step} …")
        do()
        before = self.steps.get(step, {"wall": 0.0, "cpu": 0.0})
        self.steps[step] = {
            "wall": round(before["wall"] + time.monotonic() - wall, 1),
            "cpu": round(before["cpu"] + time.process_time() - processor, 1),
        }
        write_json(self.path, self.steps)
