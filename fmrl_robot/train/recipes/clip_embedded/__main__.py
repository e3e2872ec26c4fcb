"""``python -m fmrl_robot.train.recipes.clip_embedded``: render, train, measure and write.

open_clip comes first: its triton carries an LLVM that crashes when Mesa's is already loaded.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import open_clip  # noqa: F401  # pyright: ignore[reportUnusedImport]
import tyro

from fmrl_robot.fm.open_clip_vision import load_vision_model
from fmrl_robot.train.recipes.clip_embedded.card import calibrate, measure
from fmrl_robot.train.recipes.clip_embedded.frames import FrameSet, both
from fmrl_robot.train.recipes.clip_embedded.model import save, write_vocabulary
from fmrl_robot.train.recipes.clip_embedded.train import ClipSettings, train

UNSEEN_SEED = 99


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and train."""
    tyro.cli(run, prog="fmrl train clip-embedded", args=arguments)


def run(settings: ClipSettings, out: Path = Path("policies/clip-embedded")) -> None:
    """Train the embedded CLIP and write it to ``out``."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    size = settings.image_size
    frames = both(settings.table_frames, settings.ground_frames, settings.seed + 1, size)
    model, tokenizer = train(frames, settings)
    save(out, model, tokenizer, size)
    unseen = both(1200, 500, UNSEEN_SEED, size)
    write_vocabulary(out, calibrate(load_vision_model(str(out)), unseen))
    card = describe(out, unseen, settings)
    (out / "card.json").write_text(json.dumps(card, indent=2) + "\n")


def describe(folder: Path, unseen: FrameSet, settings: ClipSettings) -> dict[str, Any]:
    """Measure the model in ``folder`` on frames of unseen seeds; return its card."""
    vision = load_vision_model(str(folder))
    return {
        "model": "CLIP of this project's own, trained from scratch on rendered frames",
        "parameters": vision.parameters,
        "settings": asdict(settings),
        "unseen_frames": len(unseen.images),
        "by_predicate": measure(vision, unseen),
        "chance": {"auroc": 0.5, "balanced_accuracy": 0.5, "epic": 0.7071},
        "cannot": "any other scene, object or camera; language beyond the taught sentences",
    }


if __name__ == "__main__":
    main()
