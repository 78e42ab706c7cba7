import asyncio
import re
from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.enrich_batch.enricher import EnrichmentTask, normalize
from functions.enrich_batch.template.template_enricher import TemplateEnricher
from functions.shared.contract.highlight import Facts, HighlightText

VOCABULARY = """
    A An an GOAL Goal Own Penalty Home Away Bicycle home away side the goal own penalty bicycle kick
    a from by for in at to it of favour make makes spot minute added time st nd rd th all late on
    extra scores scoring score counts which credited is target finds nets net hands
    opens breaks deadlock gives lead puts ahead front edges equalises equaliser levels brings level
    square restores parity doubles advantage extends adds increases takes further stretches widens
    gap builds pulls one back cuts deficit reduces arrears assisted
"""
TEXTS = ("team", "player", "description", "home_team", "away_team")
FINAL: dict[str, Any] = {"home_team": "Argentina", "away_team": "France"}
ARABIC = "هدف رائع؟"
SMALLEST = Facts(
    "goal",
    team="home",
    player="John Doe",
    description="Curled it into the top corner from outside the box.",
)


def enrich(facts: Facts) -> HighlightText:
    """Return the text that the enricher writes."""
    draft = asyncio.run(TemplateEnricher().enrich(EnrichmentTask(normalize(facts))))
    assert draft.written_by == "template"
    return draft.texts["en"]


def title(event_type: str = "goal", score: tuple[int, int] | None = None, **facts: Any) -> str:
    """Return the title alone, the score written as a pair."""
    home, away = score or (None, None)
    return enrich(Facts(event_type, home_score=home, away_score=away, **facts)).title


def one_line(text: str) -> str:
    """Return the text with single spaces only."""
    return " ".join(text.split())


def test_the_smallest_example() -> None:
    """A side, a player and a description are enough."""
    assert enrich(SMALLEST) == HighlightText(
        "Home GOAL by John Doe",
        "John Doe scores for the home side. Curled it into the top corner from outside the box.",
    )


def test_a_goal_of_which_all_facts_are_known() -> None:
    """The title has the effect, the score and the clock; the summary has them in words."""
    facts = Facts(
        "goal",
        team="home",
        player="Ángel Di María",
        minute=36,
        home_team="Argentina",
        away_team="France",
        home_score=2,
        away_score=0,
    )

    assert enrich(facts) == HighlightText(
        "Ángel Di María doubles the lead: Argentina 2–0 France, 36'",
        "Ángel Di María finds the net for Argentina in the 36th minute: Argentina 2–0 France.",
    )


@pytest.mark.parametrize(
    ("team", "score", "expected"),
    [
        ("home", (1, 0), "Ann opens the scoring: Argentina 1–0 France"),
        ("away", (0, 1), "Ann opens the scoring: Argentina 0–1 France"),
        ("away", (0, 2), "Ann doubles the lead: Argentina 0–2 France"),
        ("home", (3, 0), "Ann extends the lead: Argentina 3–0 France"),
        ("home", (3, 1), "Ann extends the lead: Argentina 3–1 France"),
        ("away", (2, 2), "Ann levels the score for France: Argentina 2–2 France"),
        ("home", (3, 2), "Ann gives Argentina the lead: Argentina 3–2 France"),
        ("away", (3, 2), "Ann cuts the deficit for France: Argentina 3–2 France"),
    ],
)
def test_a_title_says_the_effect_of_the_goal(
    team: str, score: tuple[int, int], expected: str
) -> None:
    """As the score shows it; the side is named where the score does not name the teams."""
    assert title(team=team, player="Ann", score=score, **FINAL) == expected


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        ((1, 0), "Ann opens the scoring for the home side: 1–0"),
        ((2, 0), "Ann doubles the lead for the home side: 2–0"),
        ((4, 1), "Ann adds to the lead for the home side: 4–1"),
        ((1, 1), "Ann equalises for the home side: 1–1"),
        ((2, 1), "Ann puts the home side ahead: 2–1"),
        ((1, 2), "Ann pulls one back for the home side: 1–2"),
    ],
)
def test_the_phrase_names_the_side_if_the_score_does_not(
    score: tuple[int, int], expected: str
) -> None:
    """Where the match's teams are unknown."""
    assert title(team="home", player="Ann", score=score) == expected


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        ((1, 0), "Own goal by Mats Hummels puts France ahead: France 1–0 Germany"),
        ((2, 1), "Own goal by Mats Hummels puts France ahead: France 2–1 Germany"),
        ((2, 0), "Own goal by Mats Hummels doubles the lead for France: France 2–0 Germany"),
        ((3, 1), "Own goal by Mats Hummels extends the lead for France: France 3–1 Germany"),
        ((1, 1), "Own goal by Mats Hummels brings France level: France 1–1 Germany"),
        ((1, 2), "Own goal by Mats Hummels pulls one back for France: France 1–2 Germany"),
        ((0, 1), "Own goal by Mats Hummels counts for France"),
        (None, "Own goal by Mats Hummels counts for France"),
    ],
)
def test_an_own_goal_counts_for_its_team(score: tuple[int, int] | None, expected: str) -> None:
    """The team of an own goal is the side that benefits; the scorer is not in that team."""
    match = {"home_team": "France", "away_team": "Germany"}

    assert title("own_goal", score, team="home", player="Mats Hummels", **match) == expected


def test_the_summary_of_an_own_goal() -> None:
    """It says who scored it, when, and for which side it counts."""
    facts = Facts(
        "own_goal",
        team="home",
        player="Mats Hummels",
        minute=20,
        home_team="France",
        away_team="Germany",
        home_score=1,
        away_score=0,
    )

    assert enrich(facts) == HighlightText(
        "Own goal by Mats Hummels puts France ahead: France 1–0 Germany, 20'",
        "An own goal by Mats Hummels in the 20th minute counts for France: France 1–0 Germany.",
    )


def test_the_text_of_a_penalty_goal_names_the_penalty() -> None:
    """Whatever else is known."""
    facts = Facts(
        "penalty_goal",
        team="away",
        player="Mbappé",
        minute=118,
        home_team="Argentina",
        away_team="France",
        home_score=3,
        away_score=3,
    )

    assert enrich(facts) == HighlightText(
        "Mbappé brings France level from the penalty spot: Argentina 3–3 France, 118'",
        "Mbappé finds the net for France from the penalty spot in the 118th minute:"
        " Argentina 3–3 France.",
    )
    assert title("penalty_goal", team="home", player="Ann") == (
        "Home GOAL by Ann from the penalty spot"
    )


@pytest.mark.parametrize(
    ("event_type", "facts", "expected"),
    [
        ("goal", {}, HighlightText("GOAL", "A goal.")),
        ("penalty_goal", {}, HighlightText("GOAL from the penalty spot", "A penalty goal.")),
        ("own_goal", {}, HighlightText("Own goal", "An own goal.")),
        ("goal", {"team": "Away"}, HighlightText("Away GOAL", "A goal for the away side.")),
        ("goal", {"player": "Ann"}, HighlightText("GOAL by Ann", "Ann scores.")),
        ("goal", {"minute": 36}, HighlightText("GOAL, 36'", "A goal in the 36th minute.")),
        ("own_goal", {"player": "Ann"}, HighlightText("Own goal by Ann", "An own goal by Ann.")),
        ("goal", {"added_time": 4}, HighlightText("GOAL", "A goal.")),
        ("goal", {"home_score": 1}, HighlightText("GOAL", "A goal.")),
        (
            "goal",
            {"team": "Reds", "home_score": 1, "away_score": 1},
            HighlightText("Goal brings Reds level: 1–1", "A goal for Reds makes it 1–1."),
        ),
        (
            "penalty_goal",
            {"home_score": 1, "away_score": 0},
            HighlightText("Penalty goal opens the scoring: 1–0", "A penalty goal: 1–0."),
        ),
        (
            "own_goal",
            {"player": "Ann", "home_score": 1, "away_score": 1},
            HighlightText("Own goal by Ann levels the score: 1–1", "Ann scores an own goal: 1–1."),
        ),
    ],
)
def test_any_fact_may_be_missing(
    event_type: str, facts: dict[str, Any], expected: HighlightText
) -> None:
    """The text shows no gap."""
    assert enrich(Facts(event_type, **facts)) == expected


@pytest.mark.parametrize("unknown", ["", "  ", "\n", "-", "—", "?", "\u200b", "\u00ad"])
def test_a_text_that_says_nothing_is_unknown(unknown: str) -> None:
    """Blanks, lone punctuation and invisible characters are no names."""
    bare = Facts("goal", minute=5, home_score=1, away_score=0)
    nothing: dict[str, Any] = dict.fromkeys(TEXTS, unknown)

    assert enrich(replace(bare, **nothing)) == enrich(bare)


@pytest.mark.parametrize("score", [(0, 1), (0, 0), (0, 3)])
def test_a_score_that_contradicts_the_goal_is_left_out(score: tuple[int, int]) -> None:
    """A side that has scored has at least one goal."""
    facts = Facts(
        "goal",
        team="home",
        player="Ann",
        minute=36,
        home_team="Argentina",
        away_team="France",
        home_score=score[0],
        away_score=score[1],
    )

    assert enrich(facts) == HighlightText(
        "Argentina GOAL by Ann, 36'", "Ann scores for Argentina in the 36th minute."
    )


def test_an_ambiguous_score_has_no_effect_in_the_title() -> None:
    """Without the side, 2-1 may be a lead or a goal back."""
    assert title(player="Ann", score=(2, 1), **FINAL) == "GOAL by Ann: Argentina 2–1 France"


def test_a_third_team_has_no_effect_in_the_title() -> None:
    """Its name and the score are shown."""
    assert title(team="ARG", player="Ann", score=(1, 0), **FINAL) == (
        "ARG GOAL by Ann: Argentina 1–0 France"
    )


def test_two_teams_of_the_same_name_are_no_side() -> None:
    """A team that could be both sides is neither."""
    derby = {"home_team": "Ajax", "away_team": "AJAX"}

    assert title(team="Ajax", score=(2, 0), **derby) == "GOAL for Ajax: Ajax 2–0 AJAX"


@pytest.mark.parametrize("team", ["home", "HOME", "Argentina", "ARGENTINA", " argentina\n"])
def test_a_team_may_be_a_side_or_its_name(team: str) -> None:
    """In any case; the name is spelt as the match has it."""
    assert title(team=team, player="Ann", score=(2, 1), **FINAL) == (
        "Ann puts Argentina ahead: Argentina 2–1 France"
    )


def test_a_single_known_name_is_used_but_not_beside_the_score() -> None:
    """With only one of the two names, the score has none."""
    assert title(team="home", player="Ann", score=(2, 0), home_team="Argentina") == (
        "Ann doubles the lead for Argentina: 2–0"
    )


@pytest.mark.parametrize(
    ("minute", "added_time", "clock", "when"),
    [
        (0, None, "0'", "in the 0th minute"),
        (1, None, "1'", "in the 1st minute"),
        (2, None, "2'", "in the 2nd minute"),
        (3, 0, "3'", "in the 3rd minute"),
        (11, None, "11'", "in the 11th minute"),
        (90, None, "90'", "in the 90th minute"),
        (101, None, "101'", "in the 101st minute"),
        (112, None, "112'", "in the 112th minute"),
        (90, 4, "90+4'", "in added time (90+4')"),
    ],
)
def test_the_match_clock(minute: int, added_time: int | None, clock: str, when: str) -> None:
    """Added time is never added to the minute."""
    text = enrich(Facts("goal", player="Ann", minute=minute, added_time=added_time))

    assert text.title == f"GOAL by Ann, {clock}"
    assert text.summary.endswith(f" {when}.")


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (Facts("bicycle_kick_goal"), HighlightText("Bicycle kick goal", "Bicycle kick goal.")),
        (
            Facts(
                "yellow_card",
                team="away",
                player="Ann",
                description="Late.",
                minute=45,
                added_time=2,
                home_team="Argentina",
                away_team="France",
                home_score=0,
                away_score=0,
            ),
            HighlightText(
                "France yellow card: Ann, 45+2'",
                "France yellow card in added time (45+2') at Argentina 0–0 France: Ann. Late.",
            ),
        ),
        (Facts("VAR_check", "home"), HighlightText("Home VAR check", "Home VAR check.")),
        (Facts("__", player="Ann"), HighlightText("Event: Ann", "Event: Ann.")),
        (Facts("100%_{player}"), HighlightText("100% {player}", "100% {player}.")),
    ],
)
def test_another_event_is_named_by_its_type(facts: Facts, expected: HighlightText) -> None:
    """The meaning of a type is not guessed: its facts stand beside each other."""
    assert enrich(facts) == expected


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        (" From the\n left ", "From the left."),
        ("Unstoppable!", "Unstoppable!"),
        ("Why not…", "Why not…"),
        ('"What a goal!"', '"What a goal!"'),
        ("(VAR)", "(VAR)."),
        ("First goal, second goal;", "First goal, second goal."),
        ("Header -", "Header."),
        ("見事なゴール。", "見事なゴール。"),
        (ARABIC, f"\u2068{ARABIC}\u2069"),
        ("100 % {player} %s", "100 % {player} %s."),
    ],
)
def test_a_description_is_quoted_unchanged(description: str, expected: str) -> None:
    """But for white space, trailing punctuation, a full stop where there is none, and isolation."""
    assert enrich(Facts("goal", description=description)).summary == f"A goal. {expected}"


@pytest.mark.parametrize(
    ("player", "shown"),
    [
        ("Vinícius Jr.", "Vinícius Jr."),
        ("O'Neill {0} %s", "O'Neill {0} %s"),
        ("محمد صلاح", "\u2068محمد صلاح\u2069"),
        ("孫 興慜", "孫 興慜"),
        ("👩‍👩‍👧 ⚽", "👩‍👩‍👧 ⚽"),
        ("Nguyễn\n\tVăn\u00a0 Toàn", "Nguyễn Văn Toàn"),
        ("\x1b[31mRed\x07", "[31mRed"),
        ("\u202eAnn\u202c", "Ann"),
        ("van Dijk", "van Dijk"),
        ("N" * 128, "N" * 128),
    ],
)
def test_names_in_every_script(player: str, shown: str) -> None:
    """A name is unchanged, on one line, and without an effect on the order of the text after it."""
    assert title(player=player, minute=7) == f"GOAL by {shown}, 7'"


def test_a_name_that_ends_with_a_full_stop_needs_no_second() -> None:
    """A sentence ends once."""
    assert enrich(Facts("own_goal", player="Vinícius Jr.")).summary == "An own goal by Vinícius Jr."


NAMES = ("HOSTS", "GUESTS", "STRANGERS", "PLAYER", "DESCRIPTION")
TYPES = st.sampled_from(["goal", "own_goal", "penalty_goal", "bicycle_kick_goal"])
SCORE = st.none() | st.integers(0, 5)
FACTS = st.builds(
    Facts,
    event_type=TYPES,
    team=st.sampled_from([None, "home", "away", "HOSTS", "GUESTS", "STRANGERS"]),
    player=st.sampled_from([None, "PLAYER"]),
    description=st.sampled_from([None, "DESCRIPTION"]),
    minute=st.none() | st.integers(0, 150),
    added_time=st.none() | st.integers(0, 30),
    home_team=st.sampled_from([None, "HOSTS"]),
    away_team=st.sampled_from([None, "GUESTS"]),
    home_score=SCORE,
    away_score=SCORE,
)
CHARACTERS = st.sampled_from(" {}%'\",:;()[]\n\t\u00a0") | st.characters(
    exclude_categories=["Cs", "Cc", "Cf"]
)
WILD_NAMES = st.text(CHARACTERS, max_size=12).map(lambda text: text + "ж")
WILD = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
DISTINCT_NAMES = st.lists(
    WILD_NAMES,
    min_size=len(NAMES),
    max_size=len(NAMES),
    unique_by=lambda name: one_line(name).casefold(),
)


def without_isolates(line: str) -> str:
    """Return the line without the marks around words of the other direction."""
    return re.sub("[\u2066-\u2069]", "", line)


def renamed(facts: Facts, names: dict[str, str]) -> Facts:
    """Return the facts with other names in the place of theirs."""
    return replace(
        facts,
        **{field: names.get(words, words) for field in TEXTS if (words := getattr(facts, field))},
    )


@given(FACTS)
def test_a_text_states_nothing_that_the_facts_do_not(facts: Facts) -> None:
    """Beside fixed words it has only the names and numbers of the event."""
    known = {str(value) for value in asdict(facts).values() if value is not None}
    for text in (enrich(facts).title, enrich(facts).summary):
        words = set(re.findall(r"\d+|[^\W\d_]+", text))
        assert words <= {*VOCABULARY.split()} | known
        assert words & {"home", "Home"} == set() or facts.side == "home"
        assert words & {"away", "Away"} == set() or facts.side == "away"


@given(FACTS)
def test_every_combination_of_facts_makes_a_well_formed_text(facts: Facts) -> None:
    """No gap shows where a fact is missing."""
    text = enrich(facts)
    for line in (text.title, text.summary):
        assert not re.search(r"\s\s|\s[,.:;)]|\(\W|[,:;]\W*$|[,:;.][,:;.]|^\W", line), line
    assert text.summary.endswith(".")
    assert facts.player is None or facts.player in text.title
    assert facts.description is None or text.summary.endswith(" DESCRIPTION.")


@given(FACTS, DISTINCT_NAMES)
def test_a_name_is_never_interpreted(facts: Facts, wild: list[str]) -> None:
    """Other names make the same text, with those names in it."""
    names = {name: one_line(other) for name, other in zip(NAMES, wild, strict=True)}
    pattern = re.compile("|".join(NAMES))
    plain = enrich(facts)

    text = enrich(renamed(facts, dict(zip(NAMES, wild, strict=True))))

    for line, of_plain in ((text.title, plain.title), (text.summary, plain.summary)):
        assert without_isolates(line) == pattern.sub(lambda name: names[name[0]], of_plain)


@given(FACTS, st.text(max_size=12), st.fixed_dictionaries(dict.fromkeys(TEXTS, WILD)))
def test_any_facts_make_a_title_and_a_summary_of_one_line_each(
    facts: Facts, event_type: str, texts: dict[str, Any]
) -> None:
    """Which are never empty."""
    text = enrich(replace(facts, event_type=event_type, **texts))
    for line in (text.title, text.summary):
        assert line
        assert line == one_line(line)
        assert not re.search(r"[\x00-\x1f\x7f-\x9f]", line)


@given(
    FACTS, st.sampled_from(["goal", "own_goal", "penalty_goal"]), st.sampled_from(["home", "away"])
)
def test_case_makes_no_difference(facts: Facts, event_type: str, team: str) -> None:
    """The known types and the sides are recognised in any case."""
    quiet = replace(facts, event_type=event_type, team=team)
    loud = replace(facts, event_type=event_type.upper(), team=team.upper())

    assert enrich(loud) == enrich(quiet)


# With a joiner that keeps two Persian letters apart.
ALIREZA = "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627"
KICKS: dict[str, Any] = {
    "home_shootout_score": 4,
    "away_shootout_score": 2,
    "home_score": 3,
    "away_score": 3,
}


@pytest.mark.parametrize(
    ("event_type", "facts", "expected"),
    [
        ("shootout_goal", {"player": "Montiel"}, HighlightText(
            "Montiel converts in the shoot-out: Argentina 4–2 France",
            "Montiel converts for Argentina in the shoot-out to make it Argentina 4–2 France.")),
        ("penalty_goal", {"player": "Montiel", "period": "shootout", "minute": 120}, HighlightText(
            "Montiel converts in the shoot-out: Argentina 4–2 France",
            "Montiel converts for Argentina in the shoot-out to make it Argentina 4–2 France.")),
        ("shootout_goal", {}, HighlightText(
            "GOAL for Argentina in the shoot-out: Argentina 4–2 France",
            "A goal for Argentina in the shoot-out makes it Argentina 4–2 France.")),
        ("shootout_miss", {"player": "Coman"}, HighlightText(
            "Coman misses from the spot in the shoot-out: Argentina 4–2 France",
            "Coman misses from the spot for Argentina in the shoot-out: Argentina 4–2 France.")),
        ("shootout_miss", {}, HighlightText(
            "Argentina miss in the shoot-out: Argentina 4–2 France",
            "A miss for Argentina in the shoot-out, which stands at Argentina 4–2 France.")),
    ],
)  # fmt: skip
def test_the_text_of_a_shoot_out_kick_names_the_shoot_out(
    event_type: str, facts: dict[str, Any], expected: HighlightText
) -> None:
    """With the shoot-out's score; it has no effect on the score of the match."""
    assert enrich(Facts(event_type, team="home", **FINAL, **KICKS, **facts)) == expected


def test_a_late_penalty_without_a_period_shows_no_score() -> None:
    """It may be a kick of a shoot-out, which some feeds have at 120+1 and later."""
    kick = Facts("penalty_goal", team="away", player="Ann", minute=120, added_time=2, **FINAL,
                 home_score=3, away_score=3)  # fmt: skip
    assert enrich(kick) == HighlightText(
        "France GOAL by Ann from the penalty spot, 120+2'",
        "Ann scores for France from the penalty spot in added time (120+2').",
    )
    assert "equalises" in enrich(replace(kick, period="extra_time_second")).title
    assert "brings France level" in enrich(replace(kick, minute=118, added_time=None)).title


def test_an_assist_is_in_the_summary() -> None:
    """If it is known."""
    facts = Facts("goal", team="home", player="Di María", assist="Mac Allister", minute=36, **FINAL)
    assert enrich(facts).summary == (
        "Di María scores for Argentina in the 36th minute, assisted by Mac Allister."
    )


def test_a_name_in_another_form_of_unicode_is_the_same_name() -> None:
    """So the side of the team is known, and with it the effect."""
    made = title(team="S\u00e3o Paulo", player="Ann", score=(1, 0), home_team="Sa\u0303o Paulo",
                 away_team="Grêmio")  # fmt: skip
    assert made == "Ann opens the scoring: Sa\u0303o Paulo 1–0 Grêmio"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Me\u200bssi", "Messi"), ("\ufeffMessi", "Messi"), ("Me\u200dssi", "Messi"),
        ("Me\u00adssi\u200e", "Messi"), ("Messi\U000e0041\U000e007f", "Messi"),
        ("\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f Kane", "Kane"),
        ("👩🏽\u200d🦰", "👩🏽\u200d🦰"), ("क्\u200dष", "क्\u200dष"),
        (ALIREZA, f"\u2068{ALIREZA}\u2069"),
        ("\u3164", None), ("\u200b\u2060", None), ("\u200d", None), ("\u2800", None),
    ],
)  # fmt: skip
def test_invisible_characters_are_removed(name: str, shown: str | None) -> None:
    """Joiners stay where they join; a name of invisible characters alone is unknown."""
    assert title(player=name) == (f"GOAL by {shown}" if shown else "GOAL")
