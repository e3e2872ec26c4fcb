"""Embedded CLIPs of three sizes on the same unseen pictures, and the floor of shuffled sentences.

``python -m bench.clip_sizes --frames DIR --unseen DIR --out DIR [--minutes 25]`` trains the sizes
that ``--out`` does not hold yet, each for as long, and one of middle size whose sentences belong to
other pictures; measures all of them and draws EPIC against size. ``--card`` notes the table there.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import open_clip  # noqa: F401  # pyright: ignore[reportUnusedImport]  (before Mesa, see clip_embedded)

from fmrl_robot.fm.open_clip_vision import load_vision_model
from fmrl_robot.train.cards import write_card
from fmrl_robot.train.recipes.clip_embedded import card
from fmrl_robot.train.recipes.clip_embedded.frames import FrameSet
from fmrl_robot.train.recipes.clip_embedded.model import save
from fmrl_robot.train.recipes.clip_embedded.retrieval import measure_retrieval
from fmrl_robot.train.recipes.clip_embedded.text_tower import learn_sentences
from fmrl_robot.train.recipes.clip_embedded.train import ClipSettings, train

CUBES = ("on", "on table", "in bowl", "in bin", "in drawer", "held")
"""Kinds of facts that say where a cube is."""
FLOOR = "shuffled"


def models(given: argparse.Namespace) -> dict[str, ClipSettings]:
    """Name and settings of everything that is compared."""
    text = given.minutes / 4
    common = ClipSettings(
        minutes=given.minutes - text, text_minutes=text, processes=given.processes
    )
    sizes = {size: replace(common, size=size) for size in ("small", "medium", "large")}
    return sizes | {FLOOR: replace(common, shuffled=True)}


def learned(name: str, settings: ClipSettings, frames: Path, out: Path) -> Path:
    """Folder of the model, trained if it is not there."""
    folder = out / name
    if not (folder / "open_clip_model.safetensors").is_file():
        model, tokenizer = train(frames, settings)
        learn_sentences(model, tokenizer, frames, settings)
        save(folder, model, tokenizer, settings.image_size, settings.size)
    return folder


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
    }


def draw(rows: dict[str, dict[str, Any]], file: Path) -> None:
    """Write the picture: EPIC against parameters, chance and the floor as lines."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axis = pyplot.subplots(figsize=(6, 4), layout="constrained")
    sizes = [found for name, found in rows.items() if name != FLOOR]
    parameters = [found["parameters"] / 1e6 for found in sizes]
    for key, label in (("epic", "all facts"), ("epic_of_cubes", "where cubes are")):
        axis.plot(parameters, [found[key] for found in sizes], marker="o", label=label)
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


def main() -> None:
    """Train what is missing, measure, draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=Path, required=True, help="to learn from, of the recipe")
    parser.add_argument("--unseen", type=Path, required=True, help="to measure on, of the recipe")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=25.0, help="of each training")
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--card", type=Path, help="to note the table in")
    parser.add_argument("--png", type=Path, default=Path("docs/clip_sizes.png"))
    given = parser.parse_args()
    unseen = FrameSet.load(given.unseen / "unseen")
    rows: dict[str, dict[str, Any]] = {}
    for name, settings in models(given).items():
        rows[name] = row(learned(name, settings, given.frames, given.out), unseen)
        rows[name] |= {"minutes": given.minutes, "processes": given.processes}
        print(name, rows[name], flush=True)
    draw(rows, given.png)
    if given.card:
        write_card(given.card, json.loads(given.card.read_text()) | {"sizes": rows})


if __name__ == "__main__":
    main()
