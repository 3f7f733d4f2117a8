"""The mistakes of people who type in a hurry."""

from sample.write.dice import Dice

_NEIGHBOURS = {
    "a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj",
    "i": "uo", "j": "hk", "k": "jl", "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o",
    "q": "wa", "r": "et", "s": "ad", "t": "ry", "u": "yi", "v": "cb", "w": "qe", "x": "zc",
    "y": "tu", "z": "x",
}  # fmt: skip


def mistype(text: str, share: float, dice: Dice) -> str:
    """The text with about ``share`` of its longer words misspelt."""
    return " ".join(
        _misspell(word, dice) if len(word) > 3 and dice.chance(share) else word
        for word in text.split(" ")
    )


def _misspell(word: str, dice: Dice) -> str:
    place = 1 + dice.below(len(word) - 2)
    before, letter, after = word[:place], word[place], word[place + 1 :]
    if not letter.isalpha():
        return word
    mistakes = (
        before + after,
        before + letter + letter + after,
        before + after[:1] + letter + after[1:],
        before + dice.pick(_NEIGHBOURS.get(letter.lower(), letter)) + after,
    )
    return dice.pick(mistakes)
