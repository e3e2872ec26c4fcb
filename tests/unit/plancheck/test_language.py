"""Whether an instruction is in a language at all, and in one that the model was taught."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fmrl_robot.errors import ConfigError, ErrorCode, Terminal
from fmrl_robot.evaluations.language_judge import make_scene
from fmrl_robot.fm.scripted import ScriptedLM
from fmrl_robot.fm.taught import Taught, read_taught
from fmrl_robot.methods.psl import PSL
from fmrl_robot.plancheck.intent.language import is_code, unread
from fmrl_robot.planning import Context

WORDS = """a and bin blue bowl button close cube drawer green i in into it like move not of on open
please press put red the then to touch would yellow you"""
ENGLISH = Taught(
    languages=("English",), scripts=frozenset({"LATIN"}), words=frozenset(WORDS.split())
)
FOREIGN = [
    "положи красный кубик в миску",
    "把红色方块放进碗里",
    "赤いキューブをボウルに入れて",
    "빨간 큐브를 그릇에 넣어",
    "ضع المكعب الأحمر في الوعاء",
    "βάλε τον κόκκινο κύβο στο μπολ",
    "put the красный cube in the bowl",
    "Lege bitte den roten Würfel in die Schale",
    "Pon el cubo rojo en el cuenco",
    "Mets le cube vert dans le bol",
    "Metti il cubo rosso nella ciotola",
]
SAID_IN_ENGLISH = [
    "Put the red cube in the bowl.",
    "PUT RED IN THE BIN!",
    "plese put teh yelow cube into the bowl",  # codespell:ignore
    "press teh buton, then opne the drawer",  # codespell:ignore
    "\uff50\uff55\uff54 the red cube in the bin",
]


class Untouched(ScriptedLM):
    """A model with a card; asking it fails the test."""

    taught = ENGLISH

    def __init__(self) -> None:
        super().__init__({})

    def generate(self, prompt: str, **settings: object) -> tuple[()]:
        raise AssertionError(f"the model was asked {prompt!r}")


@pytest.mark.parametrize("text", FOREIGN)
def test_what_the_model_was_not_taught_is_refused_before_it_is_asked(text: str) -> None:
    planner = PSL(Untouched())
    with pytest.raises(Terminal) as refused:
        planner.reset(text, "panda")
    assert refused.value.code == ErrorCode.LANGUAGE_UNKNOWN
    assert "expected English" in str(refused.value)


@pytest.mark.parametrize("text", SAID_IN_ENGLISH)
def test_english_is_read_slips_and_all(text: str) -> None:
    assert unread(text, ENGLISH) == ""
    PSL(Untouched()).reset(text, "panda")


@pytest.mark.parametrize("text", ["Put the red cube in the bowl.", *FOREIGN])
def test_a_model_without_a_card_is_asked_whatever_the_language(text: str) -> None:
    model = ScriptedLM({"": "put(red_cube,bowl)"})
    planner = PSL(model)
    planner.reset(text, "panda")
    planner.propose(Context.of(make_scene()))
    assert len(model.prompts) == 1
    assert text in model.prompts[0]


def test_a_refusal_names_the_letter_or_the_words() -> None:
    assert unread("put красный there", ENGLISH) == "the CYRILLIC letter к"
    assert "3 of 4 words" in unread("put rojo cuenco rojo", ENGLISH)
    assert "(rojo, cuenco)" in unread("put rojo cuenco rojo", ENGLISH)
    assert unread("42 !", ENGLISH) == "a text without a word"


def test_a_long_instruction_may_hold_fewer_unknown_words_than_a_short_one_by_share() -> None:
    assert unread("put the wug in the bowl", ENGLISH) == ""
    assert unread("put the red wug zog in the blue bowl vif", ENGLISH) != ""


@pytest.mark.parametrize(
    "text",
    [
        '{"skill": "grasp"}',
        "grasp(red_cube)",
        "[section]\nkey = 1",
        "https://example.org/a",
        "2026-01-31 error",
        "cat /etc/passwd /tmp",
        "sudo reboot",
        "def f: pass",
        "a | b",
    ],
)
def test_data_and_programs_are_no_instruction(text: str) -> None:
    assert is_code(text)


@pytest.mark.parametrize(
    "text", [*SAID_IN_ENGLISH, "red -> bin, blue -> bowl", "red (the small one)"]
)
def test_a_sentence_is_no_program(text: str) -> None:
    assert not is_code(text)


# --- the card -------------------------------------------------------------------------------------


def write_card(folder: Path, **entries: object) -> None:
    (folder / "card.json").write_text(json.dumps(entries))


def test_a_card_names_languages_scripts_and_words(tmp_path: Path) -> None:
    write_card(tmp_path, vocabulary="words.txt", languages=["English"], scripts=["LATIN"])
    (tmp_path / "words.txt").write_text("put\nred\n")
    assert read_taught(tmp_path) == Taught(
        languages=("English",), scripts=frozenset({"LATIN"}), words=frozenset({"put", "red"})
    )


def test_without_a_card_or_an_entry_nothing_is_known(tmp_path: Path) -> None:
    assert read_taught(tmp_path) is None
    write_card(tmp_path, name="some model")
    assert read_taught(tmp_path) is None


def test_a_missing_list_of_words_is_an_error(tmp_path: Path) -> None:
    write_card(tmp_path, vocabulary="words.txt", languages=["English"], scripts=["LATIN"])
    with pytest.raises(ConfigError) as missing:
        read_taught(tmp_path)
    assert missing.value.code == ErrorCode.ASSET_MISSING
    assert "words.txt" in str(missing.value)
