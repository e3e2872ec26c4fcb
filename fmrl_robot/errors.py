"""Every way this project says no: one exception tree, one table of numbered codes.

The tree is split by who can mend it: Retryable (ask again), Terminal (give up on this task),
ConfigError (a person edits something), SafetyStop (the robot is being stopped). The codes travel in
action results and in diagnostics; a range belongs to one server. docs/errors.md is this table in
words.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fmrl_robot.types import Usage


class ErrorCode(IntEnum):
    """Numbered reasons.

    1xx planner, 2xx plan check, 3xx controller, 4xx gate, 5xx configuration, 6xx simulator.
    """

    OK = 0

    INSTRUCTION_EMPTY = 100
    INSTRUCTION_TOO_LONG = 101
    INSTRUCTION_REFUSED = 102
    MODEL_OUTPUT_MALFORMED = 103
    MODEL_UNAVAILABLE = 104
    SCENE_UNAVAILABLE = 105
    REPAIRS_EXHAUSTED = 106
    TASK_TIMEOUT = 107
    TASK_CANCELLED = 108
    GOAL_NOT_REACHED = 109
    METHOD_UNKNOWN = 110
    TASK_BUSY = 111
    CONTROLLER_UNAVAILABLE = 112
    BUDGET_SPENT = 114
    LANGUAGE_UNKNOWN = 115
    PROPOSALS_SPENT = 116
    STEPS_SPENT = 117
    QUESTIONS_SPENT = 118
    GIVEN_UP = 119

    PLAN_SCHEMA = 200
    SKILL_UNKNOWN = 201
    OBJECT_UNKNOWN = 202
    PARAMETER_OUT_OF_BOUNDS = 203
    PRECONDITION_UNMET = 204
    OUT_OF_WORKSPACE = 205
    GOAL_CONTRADICTED = 206
    PATTERN_INVALID = 207
    INTENT_FORBIDDEN = 208
    INTENT_NOTHING = 209
    INTENT_INCOMPLETE = 210
    INTENT_EXCEEDED = 211

    POLICY_MISSING = 300
    POLICY_REFUSED = 301
    NO_POLICY_FITS = 302
    TARGET_NOT_SEEN = 303
    NO_PATH = 304
    SUBGOAL_TIMEOUT = 305
    SUBGOAL_CANCELLED = 306
    SUBGOAL_FAILED = 307
    OBSERVATION_STALE = 308
    GATE_STOPPED = 309
    ROBOT_FELL = 310
    PLANNER_LOST = 311

    COMMAND_NOT_FINITE = 400
    COMMAND_INCOMPLETE = 401
    POSITION_LIMIT = 402
    VELOCITY_LIMIT = 403
    EFFORT_LIMIT = 404
    STEP_LIMIT = 405
    GAIN_LIMIT = 406
    COMMAND_STALE = 407
    COMMAND_REPLAYED = 408
    LEASE_INVALID = 409
    COMMAND_SILENCE = 410
    STOP_REQUESTED = 411
    NOT_ARMED = 412
    COMMAND_LATE = 413

    CONFIG_INVALID = 500
    ASSET_MISSING = 501
    CAPABILITY_MISSING = 502
    WRITE_FAILED = 503

    SIMULATION_DIVERGED = 600
    RESET_REFUSED = 601


def apart(value: float, *limits: float, digits: int = 4) -> tuple[str, ...]:
    """Print a value and the limits it breaks, with as many digits as it takes to tell them apart.

    A message that expects "at most 1" and got "1" helps nobody.

    Returns:
        The texts of ``value`` and of each limit, at least ``digits`` significant ones of each.
    """
    texts: tuple[str, ...] = ()
    for count in range(digits, 18):
        texts = tuple(f"{number:.{count}g}" for number in (value, *limits))
        if texts[0] not in texts[1:]:
            break
    return texts


class FmrlError(Exception):
    """Root of every error this project raises on purpose."""

    default_code = ErrorCode.CONFIG_INVALID
    usage: Usage | None = None
    """What a model was paid for an answer that nobody could use; None where nothing was."""

    def __init__(self, message: str, code: ErrorCode | None = None) -> None:
        super().__init__(message)
        self.code = self.default_code if code is None else code


class Retryable(FmrlError):
    """The model or the step may try again, given this message."""

    default_code = ErrorCode.MODEL_OUTPUT_MALFORMED


class Terminal(FmrlError):
    """This task cannot go on; the robot holds."""

    default_code = ErrorCode.REPAIRS_EXHAUSTED


class ConfigError(FmrlError):
    """A person has to change a file, an argument or an installation."""


class SafetyStop(FmrlError):
    """The robot is being stopped by its stop kind."""

    default_code = ErrorCode.STOP_REQUESTED
