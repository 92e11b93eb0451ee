"""Reads guards the way SafeRoute's paper does, with transformers and PyTorch on the CPU: left-padded batches, the full lm_head over all
positions, all hidden states. Commands and answers are JSON lines on stdin and stdout."""

import json
import sys
import time

import torch
import transformers

PAD = 0


def load(directory, dtype, threads):
    torch.set_num_threads(threads)
    model = transformers.AutoModelForCausalLM.from_pretrained(directory, dtype=getattr(torch, dtype))
    model.eval()
    return model


def padded(prompts):
    """ids and attention mask, each (rows, longest), padded on the left."""
    longest = max(len(prompt) for prompt in prompts)
    ids = [[PAD] * (longest - len(prompt)) + prompt for prompt in prompts]
    mask = [[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts]
    return torch.tensor(ids), torch.tensor(mask)


@torch.inference_mode()
def read(model, prompts, verdict_ids):
    """P(unsafe) and the router's feature for each prompt."""
    ids, mask = padded(prompts)
    output = model(input_ids=ids, attention_mask=mask, output_hidden_states=True)
    feature = output.hidden_states[-1][:, -1, :].float()
    verdict = output.logits[:, -1, verdict_ids].float().softmax(dim=-1)
    return verdict[:, 1].tolist(), feature


def answer(value):
    print(json.dumps(value), flush=True)


def serve():
    setup = json.loads(sys.stdin.readline())
    model = load(setup["directory"], setup["dtype"], setup["threads"])
    answer({"version": transformers.__version__, "torch": torch.__version__})
    for line in sys.stdin:
        prompts = json.loads(line)
        started = time.perf_counter()
        each = []
        for at in range(0, len(prompts), setup["batch"]):
            batch = prompts[at : at + setup["batch"]]
            read(model, batch, setup["verdict_ids"])
            each += [(time.perf_counter() - started) * 1000] * len(batch)
        answer({"ms": (time.perf_counter() - started) * 1000, "each": each})


if __name__ == "__main__":
    serve()
