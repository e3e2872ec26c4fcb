"""``python -m fmrl_robot.train.recipes.clip_embedded``: render, train, measure and write.

open_clip comes first: its triton carries an LLVM that crashes when Mesa's is already loaded.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import open_clip  # noqa: F401  # pyright: ignore[reportUnusedImport]
import tyro

from fmrl_robot.files import writable_folder
from fmrl_robot.fm.open_clip_vision import load_vision_model
from fmrl_robot.train.cards import write_card
from fmrl_robot.train.recipes.clip_embedded import card
from fmrl_robot.train.recipes.clip_embedded.frames import FrameSet, drawn
from fmrl_robot.train.recipes.clip_embedded.goals import measure_goals
from fmrl_robot.train.recipes.clip_embedded.model import save, write_vocabulary
from fmrl_robot.train.recipes.clip_embedded.retrieval import measure_retrieval
from fmrl_robot.train.recipes.clip_embedded.text_tower import learn_sentences
from fmrl_robot.train.recipes.clip_embedded.train import ClipSettings, train
from fmrl_robot.train.recipes.clip_embedded.vocabulary import GROUND, TABLETOP, WRIST

CALIBRATION = ({TABLETOP: 1500, GROUND: 750}, 77)
"""Pictures and their seed, from which doubt is learned."""
UNSEEN = ({TABLETOP: 3000, GROUND: 1500}, 99)
"""The same for measuring: with textures of families that neither training nor doubt ever saw."""
UNSEEN_WRIST = ({WRIST: 1500}, 99)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and train."""
    tyro.cli(run, prog="fmrl train clip-embedded", args=arguments)


def run(
    settings: ClipSettings,
    out: Path = Path("policies/clip-embedded"),
    frames: Path | None = None,
    unseen: Path | None = None,
) -> None:
    """Train an embedded CLIP and write it to ``out``.

    Args:
        settings: how.
        out: folder of the result.
        frames: rendered pictures to learn from, kept there for the next time; None: not kept.
        unseen: folder for the pictures that it is calibrated and measured on.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    for folder in filter(None, (out, frames, unseen)):
        writable_folder(folder)
    size, processes = settings.image_size, settings.processes
    with TemporaryDirectory() as scratch:
        frames = frames or Path(scratch)
        if not (frames / "truth.npy").is_file():
            counts = {
                TABLETOP: settings.table_frames,
                GROUND: settings.ground_frames,
                WRIST: settings.wrist_frames,
            }
            drawn(counts, settings.seed + 1, size, processes=processes).save(frames)
        model, tokenizer = train(frames, settings)
        if settings.text_minutes:
            learn_sentences(model, tokenizer, frames, settings)
    save(out, model, tokenizer, size, settings.size)
    describe(out, unseen, asdict(settings), processes)


def describe(folder: Path, kept: Path | None, settings: dict[str, Any], processes: int = 1) -> None:
    """Calibrate and measure the model in ``folder`` on frames of unseen seeds; write its card."""
    size = settings["image_size"]
    doubted = _kept(kept, "calibration", lambda: drawn(*CALIBRATION, size, processes=processes))
    unseen = _kept(kept, "unseen", lambda: drawn(*UNSEEN, size, unseen=True, processes=processes))
    near = _kept(
        kept, "wrist", lambda: drawn(*UNSEEN_WRIST, size, unseen=True, processes=processes)
    )
    vision = load_vision_model(str(folder))
    write_vocabulary(folder, card.calibrate(card.look(vision, doubted)))
    vision = load_vision_model(str(folder))
    seen = card.look(vision, unseen)
    write_card(
        folder / "card.json",
        {
            "model": "CLIP of this project's own, trained from scratch on rendered frames",
            "parameters": vision.parameters,
            "settings": {k: str(v) if isinstance(v, Path) else v for k, v in settings.items()},
            "unseen_frames": len(unseen.images),
            "unseen": "other seeds and cameras, textures of families that training never shows",
            "by_predicate": card.measure(seen),
            "by_predicate_from_the_hand": card.measure(card.look(vision, near)),
            "mean_epic": card.trend(seen),
            "quadruped_posture_of_six": card.pose_accuracy(seen),
            "retrieval": measure_retrieval(vision, unseen, seen.images),
            "goals": measure_goals(vision),
            "comparison_of_two_pictures": card.comparisons(vision, seen),
            "chance": {"auroc": 0.5, "balanced_accuracy": 0.5, "epic": 0.7071},
            "cannot": "any other scene, object or camera; language beyond the taught sentences; "
            "fingers from the room (from the hand it can); verdicts are calibrated for the room's "
            "cameras alone",
        },
    )


def _kept(folder: Path | None, name: str, draw: Callable[[], FrameSet]) -> FrameSet:
    if folder is None:
        return draw()
    if not (folder / name / "truth.npy").is_file():
        draw().save(folder / name)
    return FrameSet.load(folder / name)


if __name__ == "__main__":
    main()
