"""Embedded CLIPs of three sizes on the same unseen pictures, and the floor of shuffled sentences.

``python -m bench.clip_sizes --frames DIR --unseen DIR --out DIR`` trains what ``--out`` does not
hold yet, a core each: three sizes that learn from equally many pictures, and two more of middle
size, one whose sentences belong to other pictures and one that is never told of some pairs of
colour and relation. It measures them beside the shipped model, which is of the largest size and
learned for longer, and draws EPIC against size. ``--card`` notes the table there.
"""

from __future__ import annotations

import argparse
import json
import logging
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import open_clip  # noqa: F401  # pyright: ignore[reportUnusedImport]  (before Mesa, see clip_embedded)

from fmrl_robot.assets import policies_dir
from fmrl_robot.fm.embedded import VISION
from fmrl_robot.fm.open_clip_vision import load_vision_model
from fmrl_robot.train.cards import write_card
from fmrl_robot.train.recipes.clip_embedded import card
from fmrl_robot.train.recipes.clip_embedded.frames import FrameSet
from fmrl_robot.train.recipes.clip_embedded.model import save
from fmrl_robot.train.recipes.clip_embedded.retrieval import measure_retrieval
from fmrl_robot.train.recipes.clip_embedded.sentences import HELD_OUT
from fmrl_robot.train.recipes.clip_embedded.text_tower import learn_sentences
from fmrl_robot.train.recipes.clip_embedded.train import ClipSettings, train
from fmrl_robot.train.recipes.clip_embedded.vocabulary import facts
from fmrl_robot.types import Predicate

CUBES = ("on", "on table", "in bowl", "in bin", "in drawer", "held")
"""Kinds of facts that say where a cube is."""
SIZES = ("small", "medium", "large")
FLOOR, UNPAIRED, SHIPPED = "shuffled", "pairs held out", "shipped"


def models(pictures: int, text_minutes: float) -> dict[str, ClipSettings]:
    """Name and settings of everything that is trained, the longest first."""
    common = ClipSettings(pictures=pictures, text_minutes=text_minutes, processes=1, batch=64)
    sizes = {size: replace(common, size=size) for size in reversed(SIZES)}
    others = {FLOOR: replace(common, shuffled=True), UNPAIRED: replace(common, held_out_pairs=True)}
    return sizes | others


def learn(frames: Path, out: Path, named: tuple[str, ClipSettings]) -> None:
    """Train one model into its folder in ``out``, if it is not there."""
    logging.basicConfig(level=logging.INFO, format=f"%(asctime)s {named[0]}: %(message)s")
    name, settings = named
    if not (out / name / "open_clip_model.safetensors").is_file():
        model, tokenizer = train(frames, settings)
        learn_sentences(model, tokenizer, frames, settings)
        save(out / name, model, tokenizer, settings.image_size, settings.size)


def row(folder: Path, unseen: FrameSet) -> dict[str, Any]:
    """What one model makes of the pictures."""
    vision = load_vision_model(str(folder))
    seen = card.look(vision, unseen)
    kinds = card.measure(seen)
    epics = [kinds[kind]["epic"] for kind in CUBES]
    retrieval = measure_retrieval(vision, unseen, seen.images)
    return {
        "parameters": vision.parameters,
        "epic": card.trend(seen),
        "epic_of_cubes": sum(epics) / len(epics),
        "auroc_of_cubes": min(kinds[kind]["worst_auroc"] for kind in CUBES),
        "one_fact": retrieval["one fact"]["accuracy"],
        "two_facts": retrieval["two facts"]["accuracy"],
        "auroc_of_pairs": {str(pair): _auroc(seen, pair) for pair in HELD_OUT},
    }


def _auroc(seen: card.Seen, fact: Predicate) -> float:
    column = facts().index(fact)
    known = seen.frames.truth[:, column] >= 0
    return card.auroc(seen.logits[known, column], seen.frames.truth[known, column])


def draw(rows: dict[str, dict[str, Any]], file: Path) -> None:
    """Write the picture: EPIC against parameters, the floor as a line, what is shipped as stars."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axis = pyplot.subplots(figsize=(6, 4), layout="constrained")
    parameters = [rows[size]["parameters"] / 1e6 for size in SIZES]
    for key, label, color in (
        ("epic", "all facts", "tab:blue"),
        ("epic_of_cubes", "where cubes are", "tab:orange"),
    ):
        axis.plot(parameters, [rows[s][key] for s in SIZES], marker="o", color=color, label=label)
        axis.plot(parameters[-1], rows[SHIPPED][key], marker="*", ms=12, ls="", color=color)
    axis.plot([], [], marker="*", ms=12, ls="", color="gray", label="shipped, trained for longer")
    axis.axhline(rows[FLOOR]["epic"], ls="--", color="gray", label="sentences shuffled")
    axis.set_xscale("log")
    axis.set_xticks(parameters, [f"{millions:.1f}" for millions in parameters])
    axis.minorticks_off()
    axis.set_ylim(0.0, 0.75)
    axis.set_xlabel("parameters, millions")
    axis.set_ylabel("EPIC distance of reward and label")
    axis.grid(alpha=0.3)
    axis.legend()
    figure.savefig(file, dpi=110)
    pyplot.close(figure)


def main() -> None:
    """Train what is missing, measure, draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=Path, required=True, help="to learn from, of the recipe")
    parser.add_argument("--unseen", type=Path, required=True, help="to measure on, of the recipe")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pictures", type=int, default=120_000, help="that each learns from")
    parser.add_argument("--text-minutes", type=float, default=3.0, help="of the text tower alone")
    parser.add_argument("--card", type=Path, help="to note the table in")
    parser.add_argument("--png", type=Path, default=Path("docs/clip_sizes.png"))
    given = parser.parse_args()
    wanted = models(given.pictures, given.text_minutes)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(len(wanted), mp_context=spawn) as pool:
        list(pool.map(partial(learn, given.frames, given.out), wanted.items()))
    unseen = FrameSet.load(given.unseen / "unseen")
    folders = {name: given.out / name for name in wanted} | {SHIPPED: policies_dir() / VISION}
    rows: dict[str, dict[str, Any]] = {}
    for name, folder in folders.items():
        rows[name] = row(folder, unseen)
        if name in wanted:
            rows[name]["pictures"] = given.pictures
        print(name, rows[name], flush=True)
    draw(rows, given.png)
    if given.card:
        write_card(given.card, json.loads(given.card.read_text()) | {"sizes": rows})


if __name__ == "__main__":
    main()
