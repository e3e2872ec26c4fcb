"""The command ``fmrl``: one table of commands, each imported only when it is called."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from fmrl_robot.errors import FmrlError

COMMANDS: dict[str, tuple[str, str]] = {
    "up": ("fmrl_robot.runtime.up", "start the graph of a robot, or run one task and judge it"),
    "ask": ("fmrl_nodes.ask", "send an instruction to a running graph"),
    "plan": ("fmrl_robot.plan_command", "print the checked plan; move nothing"),
    "train": (
        "fmrl_robot.train_command",
        "train a policy by its recipe, or sweep over settings",
    ),
    "eval": ("fmrl_robot.train.eval_command", "measure a policy and write its card"),
    "play": ("fmrl_robot.view.play_command", "film a policy at work"),
    "methods": ("fmrl_robot.methods_command", "list the methods with their cards"),
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
            print(f"  {name:<8}{what}")
        return 0 if words else 2
    if words[0] not in COMMANDS:
        print(f"expected one of {', '.join(COMMANDS)}; got {words[0]!r}", file=sys.stderr)
        return 2
    try:
        try:
            module = importlib.import_module(COMMANDS[words[0]][0])
        except ModuleNotFoundError as error:
            print(f"fmrl {words[0]} needs {error.name}: run make setup", file=sys.stderr)
            return 2
        return int(module.main(words[1:]))
    except FmrlError as error:
        print(f"fmrl {words[0]}: {int(error.code)} {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"fmrl {words[0]}: stopped", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
