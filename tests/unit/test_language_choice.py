"""Which language is read: by LANGUAGES, the parameter `lang`, and Accept-Language."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from functions.shared.http.languages import Languages
from functions.shared.settings.errors import SettingsError
from functions.shared.settings.languages import LanguageSettings
from functions.shared.settings.load import load

SEVEN = ("en", "de", "es", "fr", "pt-BR", "ar", "ja")


def negotiated(*lines: str, tags: tuple[str, ...] = SEVEN) -> str:
    """Return the language that a request with these lines of Accept-Language is answered in."""
    headers = [(b"accept-language", line.encode("latin-1")) for line in lines]
    request = Request({"type": "http", "headers": headers})
    language, told = Languages(tags).choose(request, None)
    assert told == {"Content-Language": language.tag, "Vary": "Accept-Language"}
    assert language.translation == language.tag
    return language.tag


@pytest.mark.parametrize(
    ("accept_language", "language"),
    [
        ("de", "de"),
        ("DE", "de"),
        ("pt-br", "pt-BR"),
        ("de-AT", "de"),  # a range without its last subtag
        ("de-Latn-AT-1996", "de"),
        ("de-x-private", "de"),
        ("pt", "pt-BR"),  # the first that begins with the range
        ("pt-PT", "pt-BR"),  # another region before another language
        ("fr-CA,fr;q=0.8,en;q=0.5", "fr"),
        ("en;q=0.5, de", "de"),
        ("en;q=0.5, de;q=0.501", "de"),
        ("es,de", "es"),  # of equals the first
        ("es;q=0.7,de;q=0.7", "es"),
        ("de;q=1.000,es;q=0.999", "de"),
        ("nl, de;q=0.1", "de"),
        ("de-AT;q=0.5, es;q=0.4", "de"),
        ("de ; q=0.5 ,\tes ; Q=0.4", "de"),
        ("*", "en"),
        ("*, de;q=0.5", "en"),
        ("de, *;q=0.5", "de"),
        ("nl, *;q=0.5, de;q=0.1", "en"),
        ("*, en;q=0.1", "de"),  # * means what no other range does
        ("en;q=0, *", "de"),
        ("en;q=0, de;q=0.0, *", "es"),
        ("de;q=0, de-AT", "en"),  # what is refused is not taken in the end either
        ("de-AT;q=0, de", "de"),
        ("*;q=0, de;q=0.1", "de"),
        ("*;q=0", "en"),
        ("en;q=0", "en"),  # nothing is accepted: an answer is better than none
        ("nl", "en"),
        ("tlh,nl;q=0.5", "en"),
        ("d", "en"),  # no prefix of a subtag
        ("deu", "en"),
        ("de_DE", "en"),
        ("", "en"),
        (",, ,", "en"),
        ("de;q=2, es", "es"),  # what is malformed is left out
        ("de;q=-1, es;q=0.1", "es"),
        ("de;q=0.1234, es;q=0.1", "es"),
        ("de;q=, es;q=0.1", "es"),
        ("de;level=1, es;q=0.1", "es"),
        ("--, es", "es"),
        ("\xff\xfe, es", "es"),
        ("x" * 5000, "en"),
    ],
)
def test_the_preferred_language_is_chosen(accept_language: str, language: str) -> None:
    """By weight, then by order, by prefixes in both directions."""
    assert negotiated(accept_language) == language


def test_lines_of_the_header_are_one_list() -> None:
    """As RFC 9110, 5.3, says; without a line it is the first language."""
    assert negotiated("nl;q=0.9", "de;q=0.5, es;q=0.7") == "es"
    assert negotiated() == "en"


def test_a_range_finds_the_most_exact_language() -> None:
    """Before one that it is a prefix of."""
    tags = ("en", "zh-Hant-TW", "zh-Hant", "zh", "pt-BR", "pt")
    assert negotiated("zh-Hant-HK", tags=tags) == "zh-Hant"
    assert negotiated("zh", tags=tags) == "zh"
    assert negotiated("zh-Hans", tags=tags) == "zh"
    assert negotiated("pt-PT", tags=tags) == "pt"
    assert negotiated("zh-Hant-TW", tags=tags) == "zh-Hant-TW"


@given(st.text(st.sampled_from("deptBR-*;q=01.5, \t"), max_size=60))
def test_any_header_is_answered(accept_language: str) -> None:
    """In one of the languages."""
    assert negotiated(accept_language) in SEVEN


@pytest.mark.parametrize(
    ("lang", "tag"),
    [
        ("de", "de"),
        ("DE", "de"),
        ("de-AT", "de"),
        ("pt", "pt-BR"),
        ("pt-br", "pt-BR"),
        ("en", "en"),
    ],
)
def test_the_parameter_finds_a_language_as_the_header_does(lang: str, tag: str) -> None:
    """In any case, by prefixes in both directions; the header does not matter then."""
    languages = Languages(SEVEN)
    request = Request({"type": "http", "headers": [(b"accept-language", b"ja")]})
    language, told = languages.choose(request, languages.find(lang))
    assert (language.tag, told) == (tag, {"Content-Language": tag})


@pytest.mark.parametrize("lang", ["nl", "*", "d", "german", "de_DE", "de--AT", "de-'", "", "de\n"])
def test_the_parameter_finds_nothing_else(lang: str) -> None:
    """A typing error is told, rather than answered in another language."""
    assert Languages(SEVEN).find(lang) is None


@pytest.mark.parametrize("accept_language", ["de", "en", "*", "en;q=0"])
def test_where_there_is_one_language_nothing_is_negotiated(accept_language: str) -> None:
    """No answer mentions it, so that caches keep one for all."""
    headers = [(b"accept-language", accept_language.encode())]
    language, told = Languages(("de",)).choose(Request({"type": "http", "headers": headers}), None)
    assert (language.tag, language.translation, told) == ("", None, {})


@pytest.mark.parametrize(
    ("value", "tags"),
    [
        ("", ("en",)),
        ("de", ("de",)),
        ("de,en", ("de", "en")),
        (" de  en\tfr, ja ", ("de", "en", "fr", "ja")),
        ("EN PT-br zh-hant-tw", ("en", "pt-BR", "zh-Hant-TW")),
        ("de de DE en", ("de", "en")),
        ("es-419 de-1996 sl-rozaj gsw", ("es-419", "de-1996", "sl-rozaj", "gsw")),
    ],
)
def test_languages_are_tags(value: str, tags: tuple[Any, ...]) -> None:
    """Each once, in the case that BCP 47 recommends; English by default."""
    assert load(LanguageSettings, {"LANGUAGES": value}).languages == tags


@pytest.mark.parametrize(
    "value", [",", "german", "de_DE", "e", "*", "de;en", "de-", "en-x-a", "日本"]
)
def test_what_is_no_tag_stops_the_start(value: str) -> None:
    """With the tag that is wrong."""
    with pytest.raises(SettingsError, match=r"LANGUAGES is wrong: (it holds no language|.*BCP 47)"):
        load(LanguageSettings, {"LANGUAGES": value})
