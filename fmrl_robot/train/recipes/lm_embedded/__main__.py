"""``python -m fmrl_robot.train.recipes.lm_embedded``: train the embedded planner."""

import logging

import tyro

from fmrl_robot.train.recipes.lm_embedded.train import TrainConfig, train

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
train(tyro.cli(TrainConfig))
