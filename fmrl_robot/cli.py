"""The command ``fmrl``: one table of commands, each imported only when it is called."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence

from fmrl_robot.errors import ErrorCode, FmrlError

COMMANDS: dict[str, tuple[str, str]] = {
    "up": ("fmrl_robot.runtime.up", "start the graph of a robot, or run one task and judge it"),
    "ask": ("fmrl_nodes.ask", "send an instruction to a running graph"),
    "stop": ("fmrl_nodes.stop", "stop the robot of a running graph, whoever commands it"),
    "rearm": ("fmrl_nodes.rearm", "lift a stop; the robot gets up or holds, and takes tasks again"),
    "plan": ("fmrl_robot.plan_command", "print the checked plan; move nothing"),
    "train": (
        "fmrl_robot.train_command",
        "train a policy by its recipe, or sweep over settings",
    ),
    "eval": ("fmrl_robot.train.eval_command", "measure a policy and write its card"),
    "play": ("fmrl_robot.view.play_command", "film a policy at work"),
    "methods": ("fmrl_robot.methods_command", "list the methods with their cards"),
    "reproduce": (
        "fmrl_robot.reproduce.command",
        "run the ablation that shows a system's effect, and write its page",
    ),
    "policy": ("fmrl_robot.policy_command", "print a policy's contract and card; import one"),
    "doctor": ("fmrl_robot.doctor", "check this machine: each line is ok or says what to do"),
    "judge": ("fmrl_sim.judge", "decide from a run's record whether an instruction was done"),
}
"""Name to module (whose ``main(arguments)`` returns the exit code) and what it does."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``fmrl``; the entry point."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] in ("-h", "--help", "help"):
        print("usage: fmrl COMMAND ...\n")
        for name, (_, what) in COMMANDS.items():
            print(f"  {name:<10}{what}")
        return 0 if words else 2
    if words[0] not in COMMANDS:
        print(f"expected one of {', '.join(COMMANDS)}; got {words[0]!r}", file=sys.stderr)
        return 2
    return ended(f"fmrl {words[0]}", lambda: _run(words[0], words[1:]))


def _run(name: str, arguments: Sequence[str]) -> int:
    try:
        module = importlib.import_module(COMMANDS[name][0])
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
