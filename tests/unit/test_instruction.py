"""Bytes that are no text are refused in a sentence, wherever an instruction is typed."""

import os

import pytest

from fmrl_robot import cli
from fmrl_robot.errors import ConfigError
from fmrl_robot.instruction import readable
from fmrl_robot.planners.prompting import check_instruction

LATIN_1 = os.fsdecode("heb den würfel".encode("latin-1"))


@pytest.mark.parametrize(
    "words",
    [
        ["ask", LATIN_1],
        ["plan", LATIN_1],
        ["plan", "--json", LATIN_1],
        ["up", "--task", LATIN_1],
        ["judge", "runs/x", "--instruction", LATIN_1],
    ],
)
def test_every_command_says_what_it_expects(capsys, words):
    assert cli.main(words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"fmrl {words[0]}: 500 expected an instruction in UTF-8, got 'heb den w")


def test_a_planner_that_is_given_one_refuses_it():
    with pytest.raises(ConfigError, match="UTF-8"):
        check_instruction(LATIN_1)


@pytest.mark.parametrize("text", ["", "heb den würfel", "把红色方块放进碗里", "🤖"])
def test_text_stays_as_it_is(text):
    assert readable(text) == text
