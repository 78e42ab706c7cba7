"""A good text with one number or one name changed is refused."""

import re
from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from functions.enrich_batch.guard import check
from functions.enrich_batch.guard.lexicon import lexicon_of, words_of
from functions.shared.contract.highlight import HighlightText
from tests.support.guard_samples import GOOD, Sample

NUMBER = re.compile(r"\d+")
LETTERS = st.characters(min_codepoint=0x61, max_codepoint=0x17F, categories=["Ll"])
NEW_NAMES = st.text(LETTERS, min_size=3, max_size=12).map(str.capitalize)
SIDES = ("home", "away")


def refused(sample: Sample, summary: str) -> bool:
    """Return whether the summary is refused in the place of the sample's own."""
    text = HighlightText(sample.text.title, summary)
    return bool(check(text, sample.facts, sample.language))


def names(sample: Sample) -> list[str]:
    """Return the words of the names in the facts that the summary says."""
    facts = sample.facts
    given_names = (facts.player, facts.assist, facts.home_team, facts.away_team)
    words = {word for name in given_names if name for word in re.findall(r"[^\W\d_]{3,}", name)}
    return sorted(word for word in words if re.search(rf"\b{word}\b", sample.text.summary))


@given(st.sampled_from([each for each in GOOD if NUMBER.search(each.text.summary)]), st.data())
def test_another_number_is_refused(sample: Sample, data: st.DataObject) -> None:
    """Whichever number it is, and whatever it becomes."""
    number = data.draw(st.sampled_from([*NUMBER.finditer(sample.text.summary)]))
    other = data.draw(st.integers(0, 200).filter(lambda n: n != int(number[0])))
    summary = sample.text.summary
    assert refused(sample, f"{summary[: number.start()]}{other}{summary[number.end() :]}")


@given(st.sampled_from([each for each in GOOD if names(each)]), st.data())
def test_another_name_is_refused(sample: Sample, data: st.DataObject) -> None:
    """Whichever name it is, and whatever it becomes, be it alike."""
    name = data.draw(st.sampled_from(names(sample)))
    other = data.draw(NEW_NAMES | st.sampled_from([f"{name}a", name[1:].capitalize(), f"X{name}"]))
    lexicon = lexicon_of(sample.language)
    known = {word for each in names(sample) for word in words_of(each)}
    assume(not any(lexicon.knows(word) or word in known for word in words_of(other)))
    assert refused(sample, re.sub(rf"\b{name}\b", other, sample.text.summary, count=1))


@given(st.sampled_from([each for each in GOOD if each.facts.side and each.facts.away_team]))
def test_a_text_is_refused_where_the_event_is_of_the_other_side(sample: Sample) -> None:
    """If it names the side of the event."""
    facts = sample.facts
    own, other = (facts.home_team, facts.away_team)[:: 1 if facts.side == "home" else -1]
    alone = replace(sample.text, title="", summary=sample.text.summary)
    assume(own and other and own in alone.summary and other not in alone.summary)
    assert check(sample.text, replace(facts, team=other), sample.language)
