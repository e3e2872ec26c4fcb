"""``fmrl eval NAME``: measure a policy on its task and write its card, or run an evaluation."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from fmrl_robot.registry import EVALUATIONS, TASKS


def main(arguments: Sequence[str]) -> int:
    """Read the command line, evaluate, print the card's summary."""
    if arguments and arguments[0] in EVALUATIONS.names():
        return int(EVALUATIONS.load(arguments[0])(arguments[1:]))
    parser = argparse.ArgumentParser(prog="fmrl eval", description=__doc__)
    parser.add_argument("name", help=f"one of: {', '.join((*EVALUATIONS.names(), *TASKS.names()))}")
    parser.add_argument("--folder", type=Path, help="of the policy; the shipped one by default")
    given = parser.parse_args(arguments)
    from fmrl_robot.train.commands import eval_policy

    card = eval_policy(given.name, given.folder)
    print(json.dumps(card["evaluation"]["summary"], indent=2))
    return 0
