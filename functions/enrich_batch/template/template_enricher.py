"""An enricher that puts texts together from the facts alone, without an AI."""

from dataclasses import dataclass
from typing import Final

from functions.enrich_batch.enricher import Draft, EnrichmentTask, Style
from functions.enrich_batch.situation import Situation, situation_of
from functions.enrich_batch.template.language import (
    POP_ISOLATE,
    Language,
    Phrase,
    Phrases,
    fitting,
    load_language,
)
from functions.enrich_batch.template.words import Words, poorer, without, words_of
from functions.shared.contract.highlight import Facts, HighlightText

LONGEST_SHORT: Final = 65  # characters of a title, and of a summary, in the style `short`
DASH = "\N{EN DASH}"
TRAILING = f" ,;:-{DASH}\N{EM DASH}"
# A sentence that ends with one of these, or with one and closing marks, needs no full stop.
SENTENCE_ENDS = tuple(
    ".!?\N{HORIZONTAL ELLIPSIS}\N{IDEOGRAPHIC FULL STOP}\N{DEVANAGARI DANDA}"
    "\N{ARABIC QUESTION MARK}\N{ARABIC FULL STOP}"
    "\N{FULLWIDTH EXCLAMATION MARK}\N{FULLWIDTH QUESTION MARK}"
)
CLOSING_MARKS = (
    "\"')]\N{RIGHT DOUBLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}"
    "\N{RIGHT-POINTING DOUBLE ANGLE QUOTATION MARK}\N{RIGHT CORNER BRACKET}" + POP_ISOLATE
)


class TemplateEnricher:
    """Writes texts of fixed phrases: equal tasks make equal texts, on every machine."""

    async def enrich(self, task: EnrichmentTask) -> Draft:
        """Return the texts for these facts, in each of the languages.

        Raises:
            UnknownLanguage: there are no phrases in one of the languages.
        """
        situation = situation_of(task.facts)
        texts = {
            tag: _Writer(task.facts, situation, load_language(tag), task.style).text()
            for tag in task.languages
        }
        return Draft(texts, "template")


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes the text of an event in one language."""

    facts: Facts
    situation: Situation
    language: Language
    style: Style

    def text(self) -> HighlightText:
        """Return the title and the summary."""
        words = words_of(self.facts, self.situation, self.language)
        situation = self.situation
        title = self._line(self._titles(), situation.title_turn, words)
        summaries = self.language.summaries[situation.section]
        summary = self._line((summaries,), situation.summary_turn, words)
        sentences = [self._sentence(summary)]
        description = (self.facts.description or "").rstrip(TRAILING)
        if description and self.style == "neutral":
            sentences.append(self.language.isolate(self._sentence(description)))
        return HighlightText(title, self.language.formats["between_sentences"].join(sentences))

    def _titles(self) -> tuple[Phrases, ...]:
        """Return the phrases for the setting, for the effect, and for a goal of no known effect."""
        section, titles = self.situation.section, self.language.titles
        if section in titles:
            return (titles[section],)
        plain = titles[f"{section}.plain"]
        if self.situation.effect is None:
            return (plain,)
        effect = self.situation.effect.name.lower()
        usual = titles[f"{section}.{effect}"], plain
        in_setting = titles.get(f"{section}.{self.situation.setting}.{effect}")
        return (in_setting, *usual) if in_setting else usual

    def _line(self, choices: tuple[Phrases, ...], turn: int, words: Words) -> str:
        """Return a phrase of the first of these choices in which one fits, with the words."""
        if self.style == "short":
            return self._short_line(choices, turn, words)
        for phrases in choices:
            if phrase := _phrase(phrases, turn, words):
                return phrase.fill(words)
        raise LookupError(f"no phrase in {self.language.tag} fits")

    def _short_line(self, choices: tuple[Phrases, ...], turn: int, words: Words) -> str:
        """Return a phrase with as many of the words as the limit allows; the player goes last."""
        for known in (words, without(words, "player")):
            for phrases in choices:
                for fewer in poorer(known, self.facts, self.language):
                    phrase = _phrase(phrases, turn, fewer)
                    if phrase and len(self._sentence(line := phrase.fill(fewer))) <= LONGEST_SHORT:
                        return line
        raise LookupError(f"no phrase in {self.language.tag} is short enough")

    def _sentence(self, text: str) -> str:
        ends = text.rstrip(CLOSING_MARKS).endswith(SENTENCE_ENDS)
        return text if ends else text + self.language.formats["sentence_end"]


def _phrase(phrases: Phrases, turn: int, words: Words) -> Phrase | None:
    """Return the phrase whose turn it is among those that fit, or None if none does."""
    fit = fitting(phrases, frozenset(words))
    return fit[turn % len(fit)] if fit else None
