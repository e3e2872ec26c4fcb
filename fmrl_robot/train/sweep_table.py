"""The tables of a sweep: a row for each run, and one for each setting over its seeds."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from math import sqrt
from pathlib import Path
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any

from scipy.stats import t as student

from fmrl_robot.train.cards import rounded, write_whole

if TYPE_CHECKING:
    from fmrl_robot.train.sweep import Run

RETURN, SEED = "episode/return", "seed"
TABLE = "table"
FINAL_SHARE = 0.1
"""Share of a run's end, of the iterations that told a curve, over which it is averaged."""


def write_tables(runs: Sequence[Run], out: Path, curves: Sequence[str]) -> list[dict[str, Any]]:
    """Write table.md, table.json and table.csv; return a row for each run."""
    shown = [RETURN, *curves]
    rows = [_row(run, shown) for run in runs]
    groups = over_seeds(rows, shown)
    tables = [_markdown(table) for table in (groups, rows) if table]
    write_whole(out / f"{TABLE}.md", "\n".join(tables))
    write_whole(out / f"{TABLE}.json", json.dumps({"runs": rows, "over_seeds": groups}, indent=2))
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    write_whole(out / f"{TABLE}.csv", text.getvalue())
    return rows


def _row(run: Run, shown: Sequence[str]) -> dict[str, Any]:
    result = run.result()
    return {
        "run": run.name,
        **run.settings,
        "state": result.get("state", "not run"),
        **rounded(final_curves(run.folder, shown)),
        "iterations": result.get("iterations"),
        "seconds": rounded(result.get("seconds"), 1),
        "error": result.get("error", ""),
    }


def final_curves(folder: Path, names: Sequence[str]) -> dict[str, float | None]:
    """Means over the end of a run, from TensorBoard's log; None for a curve never told."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    if not any(folder.glob("events.out.tfevents*")):
        return dict.fromkeys(names)
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    events.Reload()
    told: Any = events.Tags()["scalars"]
    curves = {n: [row.value for row in events.Scalars(n)] if n in told else [] for n in names}
    ends = {n: values[-max(1, round(FINAL_SHARE * len(values))) :] for n, values in curves.items()}
    return {name: fmean(values) if values else None for name, values in ends.items()}


def over_seeds(rows: Sequence[dict[str, Any]], shown: Sequence[str]) -> list[dict[str, Any]]:
    """Mean and 95 % interval of each setting over its seeds, best return first; empty without."""
    if not any(SEED in row for row in rows):
        return []
    after = list(rows[0]).index("state")
    fields = [name for name in list(rows[0])[1:after] if name != SEED]
    alike: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if row["state"] == "done":
            alike.setdefault(repr([row[name] for name in fields]), []).append(row)
    groups = [
        {
            **{name: group[0][name] for name in fields},
            "seeds": len(group),
            **{k: v for name in (*shown, "seconds") for k, v in _interval(group, name).items()},
        }
        for group in alike.values()
    ]
    return sorted(groups, key=lambda group: (group[RETURN] is None, -(group[RETURN] or 0.0)))


def _interval(group: Sequence[dict[str, Any]], name: str) -> dict[str, float | None]:
    """Mean over seeds and half of Student's 95 % interval; None of what nobody told."""
    values = [row[name] for row in group if row[name] is not None]
    n = len(values)
    half = float(student.ppf(0.975, n - 1)) * stdev(values) / sqrt(n) if n > 1 else None
    return rounded({name: fmean(values) if values else None, f"{name} +-": half})


def _markdown(rows: Sequence[dict[str, Any]]) -> str:
    columns = [c for c in rows[0] if any(row[c] not in ("", None) for row in rows)]
    lines = [columns, ["---"] * len(columns)]
    lines += [["-" if row[c] in ("", None) else str(row[c]) for c in columns] for row in rows]
    cells = [[cell.replace("|", "/").replace("\n", " ") for cell in line] for line in lines]
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)
