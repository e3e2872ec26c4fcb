"""A box of text in the page that Enter sends and empties.

viser's own form loses what was typed in the twentieth of a second before Enter: its browser side
sends one message at a time and lets a newer one replace one that waits. A line break typed into a
box of several lines cannot overtake the text that it ends, for both travel in one value.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

_ECHO_S = 3.0
"""How long a browser may take to learn that its box was emptied."""


class LineReader:
    """Turns the states of a growing text into lines, each sent once."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._sent, self._sent_s = "", 0.0

    def take(self, text: str) -> tuple[list[str], str | None]:
        """The lines that were completed, and what the box shall hold now; None: leave it alone.

        A browser that has not yet heard of the emptying goes on with the text that was sent: that
        beginning is passed over, what follows it is kept.
        """
        rest = text
        if self._sent and self._clock() - self._sent_s < _ECHO_S and text.startswith(self._sent):
            rest = text[len(self._sent) :]
        else:
            self._sent = ""
        *lines, rest = rest.split("\n")
        if lines:
            self._sent, self._sent_s = text[: len(text) - len(rest)], self._clock()
        told = [line.strip() for line in lines if line.strip()]
        return told, None if rest == text else rest


def add_line_box(
    gui: Any, label: str, button: str, color: str, send: Callable[[str], None]
) -> None:
    """Add the box with a button that sends too; ``send`` is called from threads of the page."""
    field = gui.add_text(label, "", multiline=True)
    pressed = gui.add_button(button, color=color, icon="player-play")
    reader = LineReader()

    # A coroutine runs in the page's event loop, so that states are read in the order they came.
    async def typed(event: Any) -> None:
        if event.client is None:  # the emptying below
            return
        lines, rest = reader.take(field.value)
        if rest is not None:
            field.value = rest
        for line in lines:
            send(line)

    async def clicked(_: Any) -> None:
        lines, _rest = reader.take(f"{field.value}\n")
        field.value = ""
        for line in lines:
            send(line)

    field.on_update(typed)
    pressed.on_click(clicked)
