"""Parts of a guard in PyTorch: the GEMMs of all its layers and nothing between them, and the router alone, a feature at a time. Commands and
answers are JSON lines on stdin and stdout."""

import json
import sys
import time

import torch

ROUTER_WIDTH = 512


class Gemms:
    """The matrices are made when they are first asked for, so that a router alone takes no memory for them."""

    def __init__(self, setup):
        self.setup = setup
        self.place = {"device": setup["device"], "dtype": getattr(torch, setup["dtype"])}
        self.layers = None

    @torch.inference_mode()
    def run(self, tokens):
        if self.layers is None:
            # Every layer has matrices of its own, as in a guard: no cache holds them.
            self.layers = [
                [torch.randn(outputs, inputs, **self.place).mul_(0.02) for inputs, outputs in self.setup["gemms"]]
                for _ in range(self.setup["layers"])
            ]
        rows = {inputs: torch.randn(tokens, inputs, **self.place) for inputs, _ in self.setup["gemms"]}
        finish(self.setup)
        started = time.perf_counter()
        for layer in self.layers:
            for matrix in layer:
                torch.nn.functional.linear(rows[matrix.shape[1]], matrix)
        finish(self.setup)
        return [(time.perf_counter() - started) * 1000]


class Router:
    """The official network with random weights, in f32 as published."""

    def __init__(self, setup):
        torch.manual_seed(2)
        layers = []
        for inputs in (setup["router"], ROUTER_WIDTH):
            layers += [torch.nn.Linear(inputs, ROUTER_WIDTH), torch.nn.LayerNorm(ROUTER_WIDTH), torch.nn.ReLU()]
        self.network = torch.nn.Sequential(*layers, torch.nn.Linear(ROUTER_WIDTH, 1)).to(setup["device"]).eval()
        self.device = setup["device"]

    @torch.inference_mode()
    def run(self, features):
        each = []
        for feature in features:
            values = torch.tensor([feature], dtype=torch.float32)
            started = time.perf_counter()
            torch.sigmoid(self.network(values.to(self.device))).item()
            each.append((time.perf_counter() - started) * 1000)
        return each


def finish(setup):
    if setup["device"] == "cuda":
        torch.cuda.synchronize()


def answer(value):
    print(json.dumps(value), flush=True)


def serve():
    setup = json.loads(sys.stdin.readline())
    gemms, router = Gemms(setup), Router(setup)
    name = torch.cuda.get_device_name() if setup["device"] == "cuda" else "cpu"
    answer({"torch": torch.__version__, "cuda": str(torch.version.cuda), "device": name, "dtype": setup["dtype"]})
    for line in sys.stdin:
        command = json.loads(line)
        each = gemms.run(command["tokens"]) if "tokens" in command else router.run(command["features"])
        answer({"ms": sum(each), "each": each})


if __name__ == "__main__":
    serve()
