"""``python -m fmrl_robot.train.recipes.lm_embedded``: train the embedded planner."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import tyro

from fmrl_robot.files import writable_folder
from fmrl_robot.train.recipes.lm_embedded.train import TrainConfig, train


def main(arguments: Sequence[str] | None = None) -> None:
    """Train with the configuration on the command line; `fmrl eval language` then measures it."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    config = tyro.cli(TrainConfig, args=arguments)
    writable_folder(config.out)
    train(config)


if __name__ == "__main__":
    main()
