"""The model card's way to a verdict's end, in PyTorch: final norm, verdict rows and router, eagerly and compiled.

Prints one line of JSON for each: name, median microseconds; as called from the host, and with L2 flushed right before. The same
shapes and the same two ways of timing as guard_head in head_case.cc."""

import json

import torch

HIDDEN = 2048
WARM_UPS, SAMPLES = 20, 200
FLUSH_BYTES = 512 << 20


class Head(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = torch.nn.RMSNorm(HIDDEN, eps=1e-5)
        self.verdict = torch.nn.Linear(HIDDEN, 2, bias=False)
        widths = [HIDDEN, 1024, 512, 256]
        layers: list[torch.nn.Module] = []
        for inputs, outputs in zip(widths, widths[1:]):
            layers += [torch.nn.Linear(inputs, outputs), torch.nn.BatchNorm1d(outputs), torch.nn.GELU(), torch.nn.Dropout(0.3)]
        self.router = torch.nn.Sequential(*layers, torch.nn.Linear(256, 1))

    def forward(self, hidden: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        feature = self.norm(hidden)
        hardness = torch.sigmoid(self.router(feature))
        return self.verdict(feature), hardness, hardness > 0.6


def median_us(head: torch.nn.Module, hidden: torch.Tensor, flush: torch.Tensor | None) -> float:
    """Between the events around one call; `flush` is written before it."""
    for _ in range(WARM_UPS):
        head(hidden)
    times = []
    for _ in range(SAMPLES):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        if flush is not None:
            flush.fill_(1)
        begin.record()
        head(hidden)
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end) * 1000)
    return sorted(times)[len(times) // 2]


def main() -> None:
    torch.manual_seed(1)
    eager = Head().cuda().eval()
    compiled = torch.compile(eager, mode="reduce-overhead")
    flush = torch.empty(FLUSH_BYTES, dtype=torch.uint8, device="cuda")
    with torch.inference_mode():
        for rows in (1, 8, 64, 256):
            hidden = torch.randn(rows, HIDDEN, device="cuda")
            for name, head in (("eager", eager), ("compiled", compiled)):
                for how, written in (("one call", None), ("L2 flushed", flush)):
                    median = median_us(head, hidden, written)
                    print(json.dumps({"name": f"PyTorch {name}, {rows} rows, {how}", "unit": "us", "median": median}), flush=True)


if __name__ == "__main__":
    main()
