"""The guard takes the good texts and refuses the bad; each rule refuses some alone."""

from collections import Counter
from itertools import product

import pytest

from functions.enrich_batch.guard import RULES, Rule, check
from tests.support.guard_samples import BAD, GOOD, Sample

LANGUAGES = ("en", "de", "es", "fr", "pt-BR", "ar", "ja")
KINDS = (
    "scorer", "team", "score", "minute", "word of a number", "claim", "invented", "leak",
    "nothing", "repetition",
)  # fmt: skip
ALONE = {  # a line that this rule alone refuses
    "empty": "en leak 2",
    "length": "en leak 8",
    "control": "en leak 4",
    "placeholder": "en leak 14",
    "address": "en leak 20",
    "handle": "en leak 22",
    "markup": "en leak 12",
    "quotation": "en leak 13",
    "emoji": "en leak 27",
    "symbol": "en leak 1",
    "date": "en invented 10",
    "place": "en invented 2",
    "age": "en invented 1",
    "superlative": "en invented 3",
    "name": "en scorer 4",
    "word": "en claim 10",
    "score": "en score 1",
    "minute": "en minute 1",
    "number": "en score 5",
    "claim": "en team 6",
    "side": "en team 1",
    "role": "en scorer 1",
    "kind": "en claim 7",
    "pointless": "en nothing 1",
    "repeated": "en repetition 5",
}


def codes(sample: Sample, rules: tuple[Rule, ...] = RULES) -> set[str]:
    """Return the codes of the rules that a text breaks."""
    return {
        refusal.code for refusal in check(sample.text, sample.facts, sample.language, rules=rules)
    }


@pytest.mark.parametrize(("kind", "language"), [*product(KINDS, LANGUAGES)])
def test_every_bad_text_is_refused_with_its_code(kind: str, language: str) -> None:
    """To the last one, by the rule that its line names."""
    lines = [each for each in BAD if (each.kind, each.language) == (kind, language)]
    assert lines
    assert [(each.name, codes(each)) for each in lines if each.code not in codes(each)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_good_texts_are_taken(language: str) -> None:
    """Paraphrases in any order; of all, 97 of 100 must be, and all are today."""
    lines = [each for each in GOOD if each.language == language]
    refused = [(each.name, codes(each)) for each in lines if codes(each)]
    assert len(refused) <= 0.03 * len(lines), refused


def test_there_are_enough_samples() -> None:
    """At least 400 of each, in every language, with a name of its own."""
    assert min(len(GOOD), len(BAD)) >= 400
    assert min(Counter(each.language for each in GOOD).values()) >= 50
    assert len({each.name for each in BAD}) == len(BAD)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_each_rule_is_needed(rule: Rule) -> None:
    """A line that is refused is taken as soon as the rule is left out."""
    (line,) = [each for each in BAD if each.name == ALONE[rule.code]]
    assert codes(line) == {rule.code}
    assert codes(line, tuple(each for each in RULES if each is not rule)) == set()
