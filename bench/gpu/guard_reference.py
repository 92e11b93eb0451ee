"""transformers and PyTorch the paper's way: padded batches of 16, the head over the whole vocabulary at every position, all
hidden states kept, the large guard called with whatever rows of a batch are hard. Weights are random, in the shapes of
Llama-Guard-3-1B and 8B, made on the device. Prints one line of JSON for each figure: name, unit, median, samples.

    python guard_reference.py bench/prompts/message-lengths.json [--share 1.0] [--device cuda] [--tiny]

--share: the part of the 1,680 messages that is run; the time is divided by it, and the figure's name says so. --tiny: shapes that
a CPU computes in seconds, to prove the script."""

import argparse
import json
import random
import statistics
import time
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedModel

HEAD_TOKENS, TAIL_TOKENS = 139, 57  # of Llama Guard 3's template, around the message
BATCH_ROWS = 16  # the paper's code's own
ESCALATED = 0.2
VERDICT_IDS = (19193, 39257)  # "safe" and "unsafe" in Llama 3's vocabulary
SINGLE_CHECKS, WARM_UPS = 50, 5

COMMON = {
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
    "max_position_embeddings": 131072,
    "rms_norm_eps": 1e-5,
    "tie_word_embeddings": False,
}
SHAPES = {
    "small": {"num_hidden_layers": 16, "hidden_size": 2048, "intermediate_size": 8192},
    "large": {"num_hidden_layers": 32, "hidden_size": 4096, "intermediate_size": 14336},
}
TINY = {"num_hidden_layers": 2, "hidden_size": 64, "intermediate_size": 128, "num_attention_heads": 4, "num_key_value_heads": 2}


def message_lengths(path: Path) -> list[int]:
    """The same lengths as message_lengths.cc, in an order of their own."""
    histogram = json.loads(path.read_text())
    width = histogram["binTokens"]
    lengths = [i * width + 1 + n % width for i, count in enumerate(histogram["counts"]) for n in range(count)]
    random.Random(1).shuffle(lengths)
    return lengths


def make_guard(name: str, device: str, tiny: bool) -> PreTrainedModel:
    config = LlamaConfig(**{**COMMON, **(TINY if tiny else SHAPES[name])})
    torch.set_default_dtype(torch.bfloat16)
    try:
        with torch.device(device):
            guard = AutoModelForCausalLM.from_config(config, attn_implementation=attention_for(device))
    finally:
        torch.set_default_dtype(torch.float32)
    return guard.eval()


def attention_for(device: str) -> str:
    """flash_attention_2 is the paper's; PyTorch's own attention where that package is not there."""
    if device == "cpu":
        return "sdpa"
    try:
        import flash_attn  # noqa: F401
    except ImportError:
        return "sdpa"
    return "flash_attention_2"


class Pair:
    def __init__(self, device: str, tiny: bool) -> None:
        self.device = device
        self.guards = {name: make_guard(name, device, tiny) for name in SHAPES}

    def attention(self) -> str:
        return str(self.guards["small"].config._attn_implementation)

    @torch.inference_mode()
    def read(self, name: str, lengths: list[int]) -> None:
        """One padded batch, up to the probabilities on the host."""
        longest = max(lengths)
        vocab = COMMON["vocab_size"]
        ids = torch.randint(1000, vocab, (len(lengths), longest), device=self.device)
        positions = torch.arange(longest, device=self.device)
        mask = (positions >= longest - torch.tensor(lengths, device=self.device)[:, None]).long()
        out = self.guards[name](input_ids=ids, attention_mask=mask, output_hidden_states=True, use_cache=True)
        feature = out.hidden_states[-1][:, -1]
        verdict = torch.softmax(out.logits[:, -1, list(VERDICT_IDS)].float(), dim=-1)
        if not bool(torch.isfinite(verdict).all() & torch.isfinite(feature).all()):
            raise ValueError(f"the {name} guard's reading is not finite")
        verdict.tolist()

    def run(self, messages: list[int], small: bool, escalated: float) -> float:
        """Seconds for all messages."""
        chance = random.Random(7)
        begin = time.perf_counter()
        for at in range(0, len(messages), BATCH_ROWS):
            batch = [HEAD_TOKENS + length + TAIL_TOKENS for length in messages[at : at + BATCH_ROWS]]
            if small:
                self.read("small", batch)
            hard = [length for length in batch if chance.random() < escalated]
            if hard:
                self.read("large", hard)
        return time.perf_counter() - begin

    def single_checks(self, lengths: list[int]) -> list[float]:
        """Milliseconds of each, the whole prompt computed."""
        times = []
        for length in lengths[: SINGLE_CHECKS + WARM_UPS]:
            begin = time.perf_counter()
            self.read("small", [HEAD_TOKENS + length + TAIL_TOKENS])
            times.append(1000 * (time.perf_counter() - begin))
        return times[WARM_UPS:]


def report(name: str, unit: str, samples: list[float]) -> None:
    median = statistics.median(samples)
    print(json.dumps({"name": name, "unit": unit, "median": median, "samples": len(samples)}), flush=True)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("histogram", type=Path)
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true")
    arguments = parser.parse_args()
    if not 0 < arguments.share <= 1:
        parser.error(f"--share is {arguments.share}, it must be above 0 and at most 1")
    return arguments


def main() -> None:
    arguments = parse_arguments()
    torch.manual_seed(1)
    lengths = message_lengths(arguments.histogram)
    messages = lengths[: max(1, round(arguments.share * len(lengths)))]
    share = len(messages) / len(lengths)
    pair = Pair(arguments.device, arguments.tiny)
    pair.run(messages[: 2 * BATCH_ROWS], small=True, escalated=1)  # warm-up
    attention = pair.attention()
    report(f"transformers, single check, {attention}", "ms", pair.single_checks(lengths))
    of = "" if share == 1 else f", from {len(messages)} of them"
    for name, small, escalated in (("small guard", True, 0.0), ("20 % escalated", True, ESCALATED), ("large guard", False, 1.0)):
        seconds = pair.run(messages, small, escalated) / share
        report(f"transformers, {len(lengths)} messages, {name}, {attention}{of}", "s", [seconds])


if __name__ == "__main__":
    main()
