"""The tokenizer of both guards: byte-level BPE in Qwen's manner, its chat template, and the rendering used in training."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

END_OF_TEXT, TURN_START, TURN_END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
SPECIAL_TOKENS = (END_OF_TEXT, TURN_START, TURN_END)
SAFE, UNSAFE = "safe", "unsafe"

# The split of Qwen2's tokenizer: contractions, words, single digits, punctuation, line ends, spaces.
SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)

CHAT_TEMPLATE = (
    "{%- for message in messages %}"
    "{{- '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{%- if loop.last and add_generation_prompt %}"
    "{{- '<|im_start|>assistant\\nThe last ' + message['role'] + ' message is:\\n' }}"
    "{%- endif %}"
    "{%- endfor %}"
)


def question(role: str) -> str:
    """What the template writes after the assistant header: which message is judged."""
    return f"assistant\nThe last {role} message is:\n"


def train_tokenizer(texts: Iterable[str], vocab_size: int, lowercase: bool = False) -> Tokenizer:
    """Trains the BPE. The verdict words and the template's own words are certain to be whole tokens."""
    tokenizer = Tokenizer(models.BPE())
    if lowercase:
        tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    own = [f"{SAFE}\n{UNSAFE}\n{question('user')}{question('assistant')}system\nuser\n"] * 5000
    tokenizer.train_from_iterator([*own, *texts], trainer)
    for word in (SAFE, UNSAFE):
        if len(tokenizer.encode(word).ids) != 1:
            raise ValueError(f"the verdict word {word!r} is not one token")
    return tokenizer


def save_tokenizer(tokenizer: Tokenizer, folder: Path, max_positions: int) -> None:
    """Writes tokenizer.json and tokenizer_config.json."""
    tokenizer.save(str(folder / "tokenizer.json"))
    added = {
        str(tokenizer.token_to_id(text)): {
            "content": text,
            "lstrip": False,
            "normalized": False,
            "rstrip": False,
            "single_word": False,
            "special": True,
        }
        for text in SPECIAL_TOKENS
    }
    config = {
        "add_prefix_space": False,
        "added_tokens_decoder": added,
        "bos_token": None,
        "chat_template": CHAT_TEMPLATE,
        "clean_up_tokenization_spaces": False,
        "eos_token": TURN_END,
        "errors": "replace",
        "model_max_length": max_positions,
        "pad_token": END_OF_TEXT,
        "tokenizer_class": "PreTrainedTokenizerFast",
        "unk_token": None,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")


SHORTEST = 64
"""Tokens that a message keeps at least when its conversation is cut."""


class Renderer:
    """Turns (role, content) pairs into the ids that the chat template gives, without a template engine.

    Content is encoded with special tokens taken as text, so that a row can never end its own turn.
    """

    def __init__(self, tokenizer: Tokenizer, max_tokens: int) -> None:
        tokenizer.encode_special_tokens = True
        self.tokenizer, self.max_tokens = tokenizer, max_tokens
        self.start, self.end, self.pad = (tokenizer.token_to_id(t) for t in (TURN_START, TURN_END, END_OF_TEXT))
        self.newline = self.encode(["\n"])[0]
        self.safe, self.unsafe = (tokenizer.token_to_id(word) for word in (SAFE, UNSAFE))
        self.questions = {role: self.encode([question(role)])[0] for role in ("user", "assistant")}

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Ids of plain texts."""
        return [encoding.ids for encoding in self.tokenizer.encode_batch(list(texts), add_special_tokens=False)]

    def render(self, conversations: Sequence[Sequence[tuple[str, str]]]) -> list[list[int]]:
        """Ids of each conversation with the question at its end, at most max_tokens long.

        Where a conversation is too long, the middles of its longest messages are left out.
        """
        flat = self.encode([f"{role}\n{content}" for turns in conversations for role, content in turns])
        rendered, at = [], 0
        for turns in conversations:
            pieces = flat[at : at + len(turns)]
            at += len(turns)
            tail = [self.start, *self.questions[turns[-1][0]]]
            room = self.max_tokens - len(tail) - sum(len(p) + 2 + len(self.newline) for p in pieces)
            for index in sorted(range(len(pieces)), key=lambda i: -len(pieces[i])):
                if room >= 0:
                    break
                piece = pieces[index]
                keep = max(SHORTEST, len(piece) + room)
                if keep < len(piece):
                    room += len(piece) - keep
                    pieces[index] = piece[: keep - keep // 2] + piece[len(piece) - keep // 2 :]
            body = [id for piece in pieces for id in (self.start, *piece, self.end, *self.newline)]
            rendered.append(body + tail)
        return rendered
