"""What our back ends cost beside the plain library call: language, vision, plans.

``python -m bench.fm`` prints tables of one run: every ratio is of pairs measured turn about, its
median beside the least and the greatest. ``--device cuda`` measures in bfloat16, compiled and not.
``--grammar-samples 10000`` only counts how many samples of a random model leave a grammar.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from bench.common import Table, machine
from bench.fm.choices import choices
from bench.fm.generation import generation
from bench.fm.models import Models
from bench.fm.plans import plans
from bench.fm.record import Record
from bench.fm.samples import grammar_samples
from bench.fm.scoring import scoring
from bench.fm.sweep import sweep
from bench.fm.vision import images

PACKAGES = ("torch", "transformers", "xgrammar", "peft", "open_clip_torch", "numpy")
PARTS: dict[str, Callable[[Models, Record], Table]] = {
    "generation": generation,
    "scoring": scoring,
    "choices": choices,
    "images": images,
    "plans": plans,
    "sweep": sweep,
}


def main() -> None:
    """Measure and print."""
    given = _arguments()
    torch.set_num_threads(given.threads)
    about = machine(PACKAGES) | {"device": given.device, "threads": given.threads}
    record = Record(given.repeats)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if given.grammar_samples:
            tables = [grammar_samples(given.grammar_samples, folder)]
        else:
            models = Models(folder, given.device, given.vocabulary)
            asked = [given.only] if given.only else PARTS
            tables = [*(PARTS[part](models, record) for part in asked), record.bars()]
    for table in tables:
        print(table.markdown())
    print(json.dumps(about))
    if given.json:
        _write(given.json, about, record.figures, tables)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--vocabulary", type=int, default=32_000, help="of the random model")
    parser.add_argument("--grammar-samples", type=int, default=0)
    parser.add_argument("--only", choices=tuple(PARTS))
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def _write(file: Path, about: dict[str, Any], figures: dict[str, Any], tables: list[Table]) -> None:
    rows = {t.title: [t.columns, *t.rows] for t in tables}
    file.write_text(
        json.dumps({"machine": about, "figures": figures, "tables": rows}, indent=2) + "\n"
    )


if __name__ == "__main__":
    main()
