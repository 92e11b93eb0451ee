"""PyTorch's causal attention at the shapes of attention_case.cc that it can compute: whole prompts of equal length, with
keys and values back to back instead of in pages. Prints one line of JSON for each: name, median microseconds."""

import json

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

HEADS, KV_HEADS, ROWS, TOKENS = 32, 8, 8, 1024
LAUNCHES, SAMPLES = 50, 100


def median_us(head_dim: int) -> float:
    def random(heads: int) -> torch.Tensor:
        return torch.randn(ROWS, heads, TOKENS, head_dim, device="cuda", dtype=torch.bfloat16)

    query, key, value = random(HEADS), random(KV_HEADS), random(KV_HEADS)

    def attend() -> torch.Tensor:
        return torch.nn.functional.scaled_dot_product_attention(query, key, value, is_causal=True, enable_gqa=True)

    attend()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for _ in range(LAUNCHES):
            attend()
    times = []
    for _ in range(SAMPLES):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        graph.replay()
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end) * 1000 / LAUNCHES)
    return sorted(times)[len(times) // 2]


def main() -> None:
    torch.manual_seed(1)
    for guard, head_dim in (("1B", 64), ("8B", 128)):
        for name, backend in (("FlashAttention", SDPBackend.FLASH_ATTENTION), ("cuDNN", SDPBackend.CUDNN_ATTENTION)):
            label = f"PyTorch {name}, {guard}, {ROWS} prompts of {TOKENS}"
            try:
                with sdpa_kernel(backend):
                    print(json.dumps({"name": label, "unit": "us", "median": median_us(head_dim)}))
            except RuntimeError as error:
                print(f"{label}: {error}")


if __name__ == "__main__":
    main()
