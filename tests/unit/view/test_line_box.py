"""What the states of a text box mean, in the order in which a browser sends them."""

import pytest

from fmrl_robot.view.line_box import LineReader


class Box:
    """A browser's box: told what to hold, it may hear of it late."""

    def __init__(self):
        self.now, self.sent = 0.0, []
        self.reader = LineReader(lambda: self.now)

    def states(self, *texts):
        """What the box was told to hold after each of them."""
        told = []
        for text in texts:
            lines, rest = self.reader.take(text)
            self.sent += lines
            told.append(rest)
        return told


def test_a_line_break_sends_what_stands_before_it_and_empties_the_box():
    box = Box()
    assert box.states("t", "trot", "trot\n") == [None, None, ""]
    assert box.sent == ["trot"]


def test_what_is_typed_before_the_browser_hears_of_it_is_neither_lost_nor_sent_twice():
    box = Box()
    assert box.states("trot\n", "trot\ns", "trot\nst", "sit", "sit\n") == ["", "s", "st", None, ""]
    assert box.sent == ["trot", "sit"]


def test_two_lines_before_the_browser_hears_of_the_first_are_two():
    box = Box()
    assert box.states("trot\n", "trot\nsit\n", "trot\nsit\ns") == ["", "", "s"]
    assert box.sent == ["trot", "sit"]


@pytest.mark.parametrize("between", [("t", "tr"), ()])
def test_the_same_line_again_is_sent_again(between):
    box = Box()
    box.states("trot\n")
    box.now = 0.0 if between else 10.0  # a paste, long after
    box.states(*between, "trot\n")
    assert box.sent == ["trot", "trot"]


def test_lines_without_words_are_not_sent():
    box = Box()
    assert box.states("\n", "  \n") == ["", ""]
    assert box.sent == []
