"""Reads guards the way SafeRoute's paper does, with transformers and PyTorch: left-padded batches, the full lm_head over all positions, all
hidden states; of a pair, each batch's hard rows go to the large guard at once. Commands and answers are JSON lines on stdin and stdout."""

import importlib.util
import json
import random
import sys
import time

import torch
import transformers

PAD = 0
ROUTER_WIDTH = 512


def attention(device):
    """What the paper used, where it is installed."""
    return "flash_attention_2" if device == "cuda" and importlib.util.find_spec("flash_attn") else "sdpa"


def load(directory, setup):
    dtype = getattr(torch, setup["dtype"])
    model = transformers.AutoModelForCausalLM.from_pretrained(
        directory, dtype=dtype, attn_implementation=attention(setup["device"])
    )
    return model.to(setup["device"]).eval()


def router(width, setup):
    """The official network with random weights: what it says is of no interest here, only that it is computed."""
    torch.manual_seed(2)
    layers = []
    for inputs in (width, ROUTER_WIDTH):
        layers += [torch.nn.Linear(inputs, ROUTER_WIDTH), torch.nn.LayerNorm(ROUTER_WIDTH), torch.nn.ReLU()]
    return torch.nn.Sequential(*layers, torch.nn.Linear(ROUTER_WIDTH, 1)).to(setup["device"]).eval()


def padded(prompts, device):
    """ids and attention mask, each (rows, longest), padded on the left."""
    longest = max(len(prompt) for prompt in prompts)
    ids = [[PAD] * (longest - len(prompt)) + prompt for prompt in prompts]
    mask = [[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts]
    return torch.tensor(ids, device=device), torch.tensor(mask, device=device)


@torch.inference_mode()
def read(model, prompts, verdict_ids):
    """P(unsafe), which waits for the device, and the router's feature, (rows, hidden), for each prompt."""
    ids, mask = padded(prompts, model.device)
    output = model(input_ids=ids, attention_mask=mask, output_hidden_states=True)
    feature = output.hidden_states[-1][:, -1, :].float()
    verdict = output.logits[:, -1, verdict_ids].float().softmax(dim=-1)
    return verdict[:, 1].tolist(), feature


class Pair:
    """A guard, or a cascade of two: every row passes the router, and a seeded coin says which of them are hard."""

    def __init__(self, setup):
        self.setup = setup
        self.small = load(setup["directory"], setup)
        self.large = setup["large"] and load(setup["large"]["directory"], setup)
        self.router = self.large and router(self.small.config.hidden_size, setup)
        self.coins = random.Random(7)

    @torch.inference_mode()
    def read(self, prompts):
        verdict_ids = self.setup["verdict_ids"]
        _, feature = read(self.small, prompts, verdict_ids)
        if not self.large:
            return
        torch.sigmoid(self.router(feature)).tolist()
        hard = [prompt for prompt in prompts if self.coins.random() < self.setup["large"]["rate"]]
        if hard:
            read(self.large, hard, verdict_ids)

    def read_all(self, prompts):
        """Milliseconds of the whole, and when each prompt's batch was done."""
        started = time.perf_counter()
        each = []
        for at in range(0, len(prompts), self.setup["batch"]):
            batch = prompts[at : at + self.setup["batch"]]
            self.read(batch)
            each += [(time.perf_counter() - started) * 1000] * len(batch)
        return {"ms": (time.perf_counter() - started) * 1000, "each": each}

    def memory(self):
        """What PyTorch has taken of the GPU, and the most that tensors ever held of it."""
        held = {"reserved by PyTorch": torch.cuda.memory_reserved(), "most in tensors": torch.cuda.max_memory_allocated()}
        return {"ms": 0, "each": [], "gpuBytes": held}


def answer(value):
    print(json.dumps(value), flush=True)


def serve():
    setup = json.loads(sys.stdin.readline())
    torch.set_num_threads(setup["threads"])
    try:
        pair = Pair(setup)
    except torch.cuda.OutOfMemoryError as error:
        answer({"unavailable": str(error)})
        return
    answer(
        {
            "version": transformers.__version__,
            "torch": torch.__version__,
            "device": torch.cuda.get_device_name() if setup["device"] == "cuda" else "cpu",
            "attention": attention(setup["device"]),
            "batch rows": setup["batch"],
        }
    )
    for line in sys.stdin:
        command = json.loads(line)
        answer(pair.memory() if "memory" in command else pair.read_all(command["prompts"]))


if __name__ == "__main__":
    serve()
