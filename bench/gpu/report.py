"""All that run.sh has found so far, as one file of results and a short table with the targets: `report.py FOLDER`.

Reads gpu.csv, commit, steps.jsonl and figures-* of the folder; writes results.json there. Needs no package. Exit code 1 where a
target is missed, so that no run looks better than it was."""

import csv
import datetime
import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

Figure = dict[str, Any]

# Ratios of the figures of two names, and at least what they must be.
RATIOS = [
    *((f"PyTorch eager, {rows} rows, one call", f"guard_head, {rows} rows, one call", 10.0) for rows in (1, 8, 64, 256)),
    *((f"PyTorch compiled, {rows} rows, one call", f"guard_head, {rows} rows, one call", 3.0) for rows in (1, 8, 64, 256)),
    ("transformers, 1680 messages, small guard", "1680 messages, small guard, bf16", None),
    ("transformers, 1680 messages, 20 % escalated", "1680 messages, 20 % escalated, bf16", None),
    ("transformers, 1680 messages, large guard", "1680 messages, large guard, bf16", None),
    ("transformers, single check", "single check, cached head, bf16", None),
    ("PyTorch cuDNN, 1B, 8 prompts of 1024", "attention, 1B, 8 prompts of 1024", None),
    ("PyTorch cuDNN, 8B, 8 prompts of 1024", "attention, 8B, 8 prompts of 1024", None),
]


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines() if line] if path.exists() else []


def last_outcomes(folder: Path) -> list[dict[str, Any]]:
    """Of each step the last, in the order of their first."""
    steps: dict[str, dict[str, Any]] = {}
    for line in lines_of(folder / "steps.jsonl"):
        steps[line["step"]] = line
    return list(steps.values())


def read_figures(folder: Path) -> tuple[list[Figure], dict[str, str]]:
    """By name, since the peak is measured in several cases; and what the bench says of the device."""
    figures: dict[str, Figure] = {}
    device: dict[str, str] = {}
    for path in sorted(folder.glob("figures-*.json")):
        results = json.loads(path.read_text())
        for figure in results.pop("figures"):
            figures[figure["name"]] = figure
        device = results
    for path in sorted(folder.glob("figures-*.jsonl")):
        for figure in lines_of(path):
            figures[figure["name"]] = figure
    return list(figures.values()), device


def find(figures: list[Figure], name: str) -> Figure | None:
    """The figure of that name; names may say more behind a comma."""
    return next((figure for figure in figures if (figure["name"] + ",").startswith(name + ",")), None)


def ratios(figures: list[Figure]) -> list[Figure]:
    found = []
    for theirs, ours, target in RATIOS:
        above, below = find(figures, theirs), find(figures, ours)
        if above is None or below is None:
            continue
        ratio = above["median"] / below["median"]
        found.append({"name": f"{above['name']} / ours", "unit": "x", "median": ratio, "target": target or 0, "atLeast": True})
    return found


def verdict(figure: Figure) -> str:
    target = figure.get("target", 0)
    if not target:
        return ""
    at_least = figure.get("atLeast", False)
    reached = figure["median"] >= target if at_least else figure["median"] <= target
    return f"{'at least' if at_least else 'at most'} {target:g}: {'reached' if reached else 'MISSED'}"


def machine(folder: Path, device: dict[str, str]) -> dict[str, Any]:
    with (folder / "gpu.csv").open() as file:
        name, driver, memory, capability = (field.strip() for field in next(csv.reader(file)))
    return {
        "gpu": name,
        "driver": driver,
        "gpuMemory": memory,
        "computeCapability": capability,
        "cpus": os.cpu_count(),
        "os": f"{platform.system().lower()}-{platform.machine()}",
        "kernel": platform.release(),
        **{key: device[key] for key in ("runtime", "cublasLt") if key in device},
    }


def show(title: str, rows: list[tuple[str, ...]]) -> None:
    if not rows:
        return
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    print(f"\n{title}")
    for row in rows:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def main() -> int:
    folder = Path(sys.argv[1])
    measured, device = read_figures(folder)
    figures = measured + ratios(measured)
    steps = last_outcomes(folder)
    results = {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "commit": (folder / "commit").read_text().strip(),
        "command": "bench/gpu/run.sh",
        "machine": machine(folder, device),
        "steps": steps,
        "figures": figures,
    }
    (folder / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    show("steps", [(step["step"], step["outcome"], f"{step['seconds']} s", step["why"]) for step in steps])
    show("figures", [(f["name"], f"{f['median']:.3f}", f["unit"], verdict(f)) for f in figures])
    missed = [figure["name"] for figure in figures if verdict(figure).endswith("MISSED")]
    if missed:
        print(f"\n{len(missed)} targets missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
