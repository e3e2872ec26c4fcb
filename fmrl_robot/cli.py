"""The command ``fmrl``: one table of commands, each imported only when it is called."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence

from fmrl_robot.errors import ErrorCode, FmrlError

COMMANDS = {
    "up": "start the graph of a robot, or run one task and judge it",
    "ask": "send an instruction to a running graph",
    "stop": "stop the robot of a running graph, whoever commands it",
    "rearm": "lift a stop; the robot gets up or holds, and takes tasks again",
    "plan": "print the checked plan; move nothing",
    "train": "train a policy by its recipe, or sweep over settings",
    "eval": "measure a policy and write its card, or run an evaluation",
    "play": "film a policy at work",
    "methods": "list the methods with their cards",
    "reproduce": "run the ablation that shows a system's effect, and write its page",
    "policy": "print a policy's contract and card; import one",
    "doctor": "check this machine: each line is ok or says what to do",
    "judge": "decide from a run's record whether an instruction was done",
}
"""Name to what it does."""
ELSEWHERE = {
    "ask": "fmrl_nodes.ask",
    "stop": "fmrl_nodes.stop",
    "rearm": "fmrl_nodes.rearm",
    "judge": "fmrl_sim.judge",
}
"""Modules of the commands that do not live in ``fmrl_robot.commands``: they need ROS or physics."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``fmrl``; the entry point."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] in ("-h", "--help", "help"):
        print("usage: fmrl COMMAND ...\n")
        for name, what in COMMANDS.items():
            print(f"  {name:<10}{what}")
        return 0 if words else 2
    if words[0] not in COMMANDS:
        print(f"expected one of {', '.join(COMMANDS)}; got {words[0]!r}", file=sys.stderr)
        return 2
    return ended(f"fmrl {words[0]}", lambda: _run(words[0], words[1:]))


def module_of(command: str) -> str:
    """Where a command's ``main(arguments)`` is, which returns the exit code."""
    return ELSEWHERE.get(command, f"fmrl_robot.commands.{command}")


def _run(name: str, arguments: Sequence[str]) -> int:
    try:
        module = importlib.import_module(module_of(name))
    except ModuleNotFoundError as error:
        print(f"fmrl {name} needs {error.name}: run make setup", file=sys.stderr)
        return 2
    return int(module.main(arguments))


def ended(command: str, run: Callable[[], int]) -> int:
    """Run a command; what it is refused, and what the machine refuses it, end in a numbered line.

    Args:
        command: before the line.
        run: returns the exit code.
    """
    try:
        return run()
    except FmrlError as error:
        code, said = error.code, str(error)
    except OSError as error:
        code = ErrorCode.CONFIG_INVALID
        said = f"expected to read and write as asked, got {error}; name another place or make room"
    except KeyboardInterrupt:
        print(f"{command}: stopped", file=sys.stderr)
        return 130
    print(f"{command}: {int(code)} {' '.join(said.split())}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
