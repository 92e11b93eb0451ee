"""The random numbers of native/train, made again in NumPy: Threefry2x32 with 20 rounds (Salmon et al., SC 2011) and Box-Muller.

A number is a function of the seed, of its use, of the part of the network, of the turn (a step or an epoch) and of its place.
"""

from __future__ import annotations

import numpy as np

WEIGHTS, NOISE, DROPOUT, ROWS = range(4)
BLOCK = 32  # numbers that are made together: a counter gives one of the first half, and one of the second

ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))


def threefry(key: tuple[int, int], first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    keys = [np.uint32(key[0]), np.uint32(key[1]), np.uint32(key[0] ^ key[1] ^ 0x1BD11BDA)]
    x, y = first.astype(np.uint32), second.astype(np.uint32)
    with np.errstate(over="ignore"):
        x, y = x + keys[0], y + keys[1]
        for group in range(5):
            for rotation in ROTATIONS[group % 2]:
                x = x + y
                y = (y << np.uint32(rotation) | y >> np.uint32(32 - rotation)) ^ x
            x = x + keys[(group + 1) % 3]
            y = y + keys[(group + 2) % 3] + np.uint32(group + 1)
    return x, y


def pairs(key: tuple[int, int], turn: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The counters of `count` numbers, (blocks, half a block) of both words."""
    blocks = -(-count // BLOCK)
    counters = np.arange(blocks * BLOCK // 2, dtype=np.uint32)
    first, second = threefry(key, counters, np.full_like(counters, turn))
    return first.reshape(blocks, -1), second.reshape(blocks, -1)


def laid_out(first: np.ndarray, second: np.ndarray, count: int) -> np.ndarray:
    return np.concatenate([first, second], axis=1).reshape(-1)[:count]


class Stream:
    def __init__(self, seed: int, use: int, part: int) -> None:
        counters = np.arange(part * BLOCK // 2, part * BLOCK // 2 + 2, dtype=np.uint32)
        words, _ = threefry((seed & 0xFFFFFFFF, seed >> 32), counters, np.full_like(counters, use))
        self.key = (int(words[0]), int(words[1]))

    def bits(self, turn: int, count: int) -> np.ndarray:
        return laid_out(*pairs(self.key, turn, count), count)

    def gaussians(self, turn: int, count: int) -> np.ndarray:
        """In double precision."""
        first, second = pairs(self.key, turn, count)
        radius = np.sqrt(-2 * np.log(((first >> 8) + 1.0) / 2**24))
        angle = 2 * np.pi * (second >> 8) / 2**24
        return laid_out(radius * np.cos(angle), radius * np.sin(angle), count)


def below(bits: np.ndarray, bound: int | np.ndarray) -> np.ndarray:
    return (bits.astype(np.uint64) * np.uint64(bound) >> np.uint64(32)).astype(np.int64)


def check_known_answers() -> None:
    """The test vectors that come with Random123."""
    for counter, key, expected in (
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((0xFFFFFFFF, 0xFFFFFFFF), (0xFFFFFFFF, 0xFFFFFFFF), (0x1CB996FC, 0xBB002BE7)),
        ((0x243F6A88, 0x85A308D3), (0x13198A2E, 0x03707344), (0xC4923A9C, 0x483DF7A0)),
    ):
        words = threefry(key, np.array([counter[0]], dtype=np.uint32), np.array([counter[1]], dtype=np.uint32))
        if (int(words[0][0]), int(words[1][0])) != expected:
            raise AssertionError(f"Threefry of {counter} is {words}, not {expected}")


check_known_answers()
