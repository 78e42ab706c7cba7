"""The values of numbers in digits, in words and in Han numerals."""

from collections.abc import Sequence

from functions.enrich_batch.guard.lexicon import Lexicon
from functions.enrich_batch.guard.tokens import Kind, Token

HAN_DIGITS = {"〇": 0, "零": 0, **{digit: n for n, digit in enumerate("一二三四五六七八九", 1)}}
HYPHENS = frozenset("-\u2010\u2011")
TOO_LARGE = 10**9  # for any number of a match


def number_at(tokens: Sequence[Token], start: int, lexicon: Lexicon) -> tuple[int, int, bool]:
    """Return the value of the number at a token, or -1, the index after it, and if it is ordinal.

    Tens and units are one number in either order: "thirty-six", "ستة وثلاثين".
    """
    value, is_ordinal = _value(tokens[start], lexicon)
    end = position = start + 1
    if value <= 0 or tokens[start].kind is Kind.NUMBER:
        return value, end, is_ordinal
    while position < len(tokens) and (
        tokens[position].plain in lexicon.joiners or tokens[position].raw in HYPHENS
    ):
        position += 1
    if position == len(tokens) or tokens[position].kind is Kind.NUMBER:
        return value, end, is_ordinal
    more, is_more_ordinal = _value(tokens[position], lexicon)
    # Units before tens need a word between, but in Arabic it is a part of the tens.
    is_in_order = value > more or position > end or bool(lexicon.clitics)
    if {_order(value), _order(more)} == {"tens", "units"} and is_in_order:
        return value + more, position + 1, is_ordinal or is_more_ordinal
    return value, end, is_ordinal


def _order(value: int) -> str:
    if 0 < value < 10:
        return "units"
    return "tens" if 20 <= value < 100 and value % 10 == 0 else ""


def _value(token: Token, lexicon: Lexicon) -> tuple[int, bool]:
    if token.kind is Kind.NUMBER:
        return number_of(token), False
    if token.plain in lexicon.ordinals:
        return lexicon.ordinals[token.plain], True
    if token.kind is Kind.DENSE:
        value = numeral(token.raw)
        return (-1 if value is None else value), False
    return lexicon.numbers.get(token.plain, -1), False


def number_of(token: Token) -> int:
    """Return the value of a number in digits."""
    return int(token.raw) if len(token.raw) < 10 else TOO_LARGE


def numeral(text: str) -> int | None:
    """Return the number that Han numerals are, up to 999, or None if they are none."""
    if text in HAN_DIGITS:
        return HAN_DIGITS[text]
    before, ten, units = text.rpartition("十")
    hundreds, hundred, tens = before.rpartition("百")
    if not ten or any(part and part not in HAN_DIGITS for part in (hundreds, tens, units)):
        return None
    hundreds_value = HAN_DIGITS.get(hundreds, 1) if hundred else 0
    return hundreds_value * 100 + HAN_DIGITS.get(tens, 1) * 10 + HAN_DIGITS.get(units, 0)
