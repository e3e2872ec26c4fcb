"""``python -m fmrl_robot.train.recipes.lm_causal``: train an embedded causal language model."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import tyro

from fmrl_robot.train.recipes.lm_causal.train import CausalConfig, train


def main(arguments: Sequence[str] | None = None) -> None:
    """Train with the configuration on the command line."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    train(tyro.cli(CausalConfig, prog="fmrl train lm-causal", args=arguments))


if __name__ == "__main__":
    main()
