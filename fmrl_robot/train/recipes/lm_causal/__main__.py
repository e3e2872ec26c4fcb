"""``python -m fmrl_robot.train.recipes.lm_causal``: train and measure an embedded causal model."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import tyro

from fmrl_robot.train.recipes.lm_causal.card import describe
from fmrl_robot.train.recipes.lm_causal.train import CausalConfig, train


def main(arguments: Sequence[str] | None = None) -> None:
    """Train with the configuration on the command line, and write the card beside the weights."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    cfg = tyro.cli(CausalConfig, prog="fmrl train lm-causal", args=arguments)
    learned = train(cfg)
    describe(cfg.out, cfg.corpus, learned)


if __name__ == "__main__":
    main()
