"""Questions and answers in a text file, one a line: made to be read, reviewed and kept in git.

The first line says which model spoke. What a line holds is all that its question depends on, so a
question that was changed by hand is another question.
"""

from __future__ import annotations

import fcntl
import json
import logging
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.fm.questions import FORMAT, Question

_KIND_OF = {"generate": "generate", "score": "score", "text": "embed_texts",
            "image": "embed_images", "clip": "embed_clips"}  # fmt: skip

_log = logging.getLogger("fmrl.fm")


class Cassette:
    """A store of answers in a JSON lines file. Several processes may append to it."""

    def __init__(self, file: Path, facts: Mapping[str, Any] | None = None) -> None:
        """Read what is there.

        Args:
            file: of JSON lines.
            facts: of the model that is recorded, its id as ``model``; a missing file is begun with
                them. None: the file is only played.

        Raises:
            ConfigError: there is nothing to play, a line cannot be read, or the file was recorded
                with another model.
        """
        self.file = file
        self._lock = threading.Lock()
        self._answers: dict[str, Any] = {}
        self.methods: set[str] = set()
        """Of the model, those that were recorded."""
        recorded = file.exists() and file.stat().st_size > 0
        if facts is None and not recorded:
            raise ConfigError(
                f"expected recorded answers in {file}, found none; record them with "
                f"recording:{file},<model name>",
                ErrorCode.MODEL_UNAVAILABLE,
            )
        if facts is not None:
            self._begin({"cassette": FORMAT, **facts})
        self.facts: Mapping[str, Any] = self._read()
        if facts is not None and self.facts["model"] != facts["model"]:
            raise ConfigError(
                f"expected the model {self.facts['model']!r}, whose answers {file} holds, got "
                f"{facts['model']!r}; record into another file, or delete this one"
            )

    def get(self, question: Question) -> Any:
        """The answer as it was put, or None."""
        answer = self._answers.get(question.key)
        return np.array(answer, np.float32) if question.vector and answer is not None else answer

    def put(self, question: Question, answer: Any) -> None:
        """Append an answer; the first one to a question stays.

        Raises:
            OSError: the file cannot be written. A recording that is silently empty helps nobody.
        """
        plain = [float(f"{x:.9g}") for x in answer] if question.vector else answer
        with self._lock:
            if question.key in self._answers:
                return
            self._append({"asked": question.kind, **question.content, "answer": plain})
            self._take(question, plain)

    def _take(self, question: Question, answer: Any) -> None:
        self._answers.setdefault(question.key, answer)
        self.methods.add(_KIND_OF[question.kind])

    def _read(self) -> Mapping[str, Any]:
        try:
            lines = self.file.read_text("utf-8").split("\n")
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"expected recorded answers as text in {self.file}, got {error}; name another file",
                ErrorCode.MODEL_UNAVAILABLE,
            ) from None
        if lines.pop():
            # Whoever wrote it was killed over it.
            _log.warning("cassette=%s ends in the middle of a line, which is left out", self.file)
        facts: Mapping[str, Any] = {}
        for number, line in enumerate(lines, 1):
            try:
                values = json.loads(line)
                if number == 1:
                    facts = values
                    if facts["cassette"] != FORMAT or not isinstance(facts["model"], str):
                        raise ValueError(f"format {facts['cassette']!r} instead of {FORMAT}")
                    continue
                kind, answer = values.pop("asked"), values.pop("answer")
                self._take(Question(kind=kind, model=facts["model"], content=values), answer)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise ConfigError(
                    f"expected a question with its answer in line {number} of {self.file}, could "
                    f"not read it: {error!r}; mend the line or record anew",
                    ErrorCode.MODEL_UNAVAILABLE,
                ) from error
        if not facts:
            raise ConfigError(
                f"expected the model's name in the first line of {self.file}, found none; record "
                "anew"
            )
        return facts

    def _begin(self, facts: Mapping[str, Any]) -> None:
        """Write the first line, and end a last line that a killed recorder left open."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("a+b") as out:
            fcntl.flock(out, fcntl.LOCK_EX)
            out.seek(0)
            whole = out.read().rfind(b"\n") + 1
            out.truncate(whole)
            if not whole:
                out.write(_line(facts))

    def _append(self, values: Mapping[str, Any]) -> None:
        with self.file.open("ab", buffering=0) as out:
            fcntl.flock(out, fcntl.LOCK_EX)
            out.write(_line(values))


def _line(values: Mapping[str, Any]) -> bytes:
    return (json.dumps(values, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")
