"""Writes the model card from results.json: python card.py RESULTS CARD. No figure in the card is typed by hand."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from evaluation import BOTH_CLASSES
from progress import write_atomically

ORIGINS = {
    "in_domain": "template groups of the training sources that nothing else saw",
    "openai_moderation": "OpenAI moderation set, MIT",
    "xstest": "XSTest prompts, CC-BY-4.0",
    "hatecheck": "HateCheck, CC-BY-4.0",
    "diasafety_test": "DiaSafety test split, Apache-2.0; prompt and response",
    "harmbench_response": "HarmBench responses, MIT; prompt and response",
    "toxicchat": "ToxicChat test split, CC-BY-NC-4.0; evaluation only",
    "xstest_response": "XSTest responses; prompt and response, evaluation only",
}
HARMLESS_ONLY = ("cyberseceval_frr",)
HARMFUL_ONLY = ("harmbench_behaviors", "strongreject", "simplesafetytests")
GAP_TARGET, LOSS_LIMIT, RATE_LIMIT = 0.03, 0.01, 0.40


def percent(value: float) -> str:
    """One decimal, without the sign."""
    return f"{100 * value:.1f}"


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table, first column left, the others right aligned."""
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 1)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def f1_table(results: dict[str, Any]) -> str:
    """F1 per set and way to escalate, with the means."""
    keys = ("small", "large", "routed")
    rows = []
    for name in (*BOTH_CLASSES, "xstest_response"):
        figures = results["sets"][name]
        values = [percent(figures[key]["f1"]) for key in keys]
        others = [percent(figures[key]) for key in ("random_f1", "entropy_f1", "oracle_f1", "escalation")]
        rows.append([name, str(figures["rows"]), *values, *others])
    means = results["means"]
    averages = [f"**{percent(means[key])}**" for key in ("small_f1", "large_f1", "routed_f1", "random_f1", "entropy_f1", "oracle_f1", "escalation")]
    rows.insert(len(BOTH_CLASSES), [f"**mean of the {len(BOTH_CLASSES)}**", "", *averages])
    return table(["set", "rows", "small", "large", "routed", "random", "entropy", "oracle", "escalated"], rows)


def detail_table(results: dict[str, Any]) -> str:
    """Precision, recall, AUPRC and false-positive rate of each reader per set."""
    rows = []
    for name in (*BOTH_CLASSES, "xstest_response"):
        figures = results["sets"][name]
        for reader in ("small", "large", "routed"):
            values = figures[reader]
            rows.append(
                [f"{name}, {reader}", *(percent(values[key]) for key in ("precision", "recall", "f1", "auprc", "fpr"))]
            )
    return table(["set, reader", "precision", "recall", "F1", "AUPRC", "false positives"], rows)


def one_class_table(results: dict[str, Any]) -> str:
    """False-positive rates on harmless sets, recall on harmful ones."""
    rows = []
    for names, key, title in ((HARMLESS_ONLY, "fpr", "false positives"), (HARMFUL_ONLY, "recall", "recall")):
        for name in names:
            figures = results["sets"][name]
            values = [percent(figures[reader][key]) for reader in ("small", "large", "routed")]
            rows.append([name, str(figures["rows"]), title, *values, percent(figures["escalation"])])
    return table(["set", "rows", "figure", "small", "large", "routed", "escalated"], rows)


def verdicts(results: dict[str, Any]) -> str:
    """What was aimed at and what was measured."""
    means = results["means"]
    gap, loss = means["large_f1"] - means["small_f1"], means["large_f1"] - means["routed_f1"]
    gain = means["routed_f1"] - means["random_f1"]
    lines = [
        (f"the large guard's mean F1 is at least 3 points above the small one's: {100 * gap:+.2f}", gap >= GAP_TARGET),
        (f"routed mean F1 is within 1 point of always-large: {100 * -loss:+.2f}", loss <= LOSS_LIMIT),
        (f"at a mean escalation rate under 40 %: {percent(means['escalation'])} %", means["escalation"] < RATE_LIMIT),
        (f"routed mean F1 is above random escalation at the same rates: {100 * gain:+.2f}", gain > 0),
    ]
    return "\n".join(f"- {text} ({'met' if met else '**missed**'})" for text, met in lines)


def validation_table(results: dict[str, Any]) -> str:
    """What the choice of the threshold saw."""
    rows = []
    for name, figures in results["router"]["validation"].items():
        values = [percent(figures[reader]["f1"]) for reader in ("small", "large", "routed")]
        rows.append([name, str(figures["rows"]), *values, percent(figures["random_f1"]), percent(figures["escalation"])])
    return table(["part", "rows", "small", "large", "routed", "random", "escalated"], rows)


def shapes(results: dict[str, Any]) -> str:
    """The two decoders."""
    rows = []
    for role in ("small", "large"):
        shape = results["settings"][role]["shape"]
        keys = ("hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "head_dim", "intermediate_size", "vocab_size")
        rows.append([role, f"{results['parameters'][role] / 1e6:.2f} M", *(str(shape[key]) for key in keys)])
    return table(["guard", "parameters", "hidden", "layers", "heads", "kv heads", "head_dim", "MLP", "vocabulary"], rows)


def cuts(results: dict[str, Any]) -> str:
    """How many rows did not fit the context."""
    counts = {name: figures["cut"] for name, figures in results["sets"].items() if figures["cut"]}
    if not counts:
        return "Every row fits the context."
    listed = ", ".join(f"{count} of {name}" for name, count in counts.items())
    return f"Rows longer than the context lost the middle of their longest message: {listed}."


def card(results: dict[str, Any]) -> str:
    """The whole card."""
    template = (Path(__file__).parent / "card.md").read_text()
    router, corpus = results["router"], results["corpus"]
    weak = min(BOTH_CLASSES[1:], key=lambda name: results["sets"][name]["large"]["f1"])
    own, weakest = results["sets"]["in_domain"]["large"], results["sets"][weak]["large"]
    harmless = results["sets"]["cyberseceval_frr"]["large"]
    values = {
        "shapes": shapes(results),
        "verdicts": verdicts(results),
        "f1": f1_table(results),
        "detail": detail_table(results),
        "one_class": one_class_table(results),
        "validation": validation_table(results),
        "cuts": cuts(results),
        "threshold": f"{results['threshold']:.4f}",
        "megabytes": f"{results['bytes'] / 1e6:.1f}",
        "in_domain_f1": percent(own["f1"]),
        "weakest": weak,
        "weakest_f1": percent(weakest["f1"]),
        "harmless_fpr": percent(harmless["fpr"]),
        "guard_rows": f"{corpus['guards']['rows']:,}",
        "router_rows": f"{router['rows']:,}",
        "hard_rows": f"{router['hard']:,}",
        "test_rows": f"{corpus['test']['rows']:,}",
        "origins": "\n".join(f"- {name}: {text}" for name, text in ORIGINS.items()),
    }
    for name, value in values.items():
        template = template.replace(f"[[{name}]]", value)
    return template


def main() -> None:
    """The command line."""
    results, target = Path(sys.argv[1]), Path(sys.argv[2])
    text = card(json.loads(results.read_text()))
    write_atomically(target, lambda partial: partial.write_text(text))


if __name__ == "__main__":
    main()
