"""How near training comes to the limit: raw C physics, our engine, our environment, our learner.

``python -m bench.train`` measures physics, environments, learners and how they scale, beside
EnvPool, gymnasium, rsl_rl and stable-baselines3, and prints tables of one run; every share is of a
row of the same run. The limit is a C loop of ``mj_step`` with one pinned thread a core, compiled
here with the system's compiler against the installed MuJoCo. Learners by others need
``pip install -e ".[bench]"``; EnvPool needs an environment of its own (bench/peers.txt).
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from bench import environments, learners, physics
from bench.common import SUBSTEPS, Table, apart, machine

ENVPOOL_ROBOTS = 64
"""EnvPool keeps a model a robot, 60 MB each."""
ROBOTS = (64, 256, 1024, 4096, 16384)
SCALED = ("environment, env-steps/s", "our PPO, env-steps/s")
TABLES = ("physics", "learners", "by_robots", "by_cores")
NO_ENVPOOL = "not measured: make an environment as bench/peers.txt says, then --peers PYTHON"
NO_LEARNER = 'not measured: pip install -e ".[bench]"'


class Bench:
    """One run: what was asked for, and every figure by name, one value a round."""

    def __init__(self, given: argparse.Namespace, folder: Path) -> None:
        self.given, self.folder = given, folder
        self.cores: int = given.cores
        self.figures: dict[str, list[float]] = {}

    def take(self, name: str, measure: Callable[..., float], *arguments: Any, **more: Any) -> None:
        """Measure once more."""
        value = measure(*arguments, **more)
        self.figures.setdefault(name, []).append(value)
        print(f"{name}: {value:.0f}", flush=True)

    def value(self, name: str) -> float:
        """Median of the rounds."""
        return median(self.figures[name])

    def share(self, name: str, of: str, factor: float = 1.0) -> str:
        """One figure over another of the same round: median, least and greatest over the rounds."""
        return _spread([factor * ratio for ratio in self._ratios(name, of)], ".1%")

    def ratio(self, name: str, of: str) -> str:
        """The same as a number of times."""
        return _spread(self._ratios(name, of), ".2f")

    def _ratios(self, name: str, of: str) -> list[float]:
        pairs = zip(self.figures[name], self.figures[of], strict=True)
        return [one / other for one, other in pairs]

    # --- physics and environments: physics steps a second -----------------------------------------

    def _rounds(self) -> None:
        """Measure turn about, so that a slow minute slows all of them."""
        physics.compile_raw(self.folder)
        robots, periods = self.given.robots, self.given.periods
        names = ("go2", "playground-go1", "go1")
        for name in names:
            (self.folder / name).mkdir()
            physics.workload(self.folder / name, name, robots, periods)
        for _ in range(self.given.repeats):
            for name in names:
                size = (self.folder / name, name, self.cores, robots, periods)
                self.take(f"{name} raw", physics.raw, *size, "periods")
                if name == "go2":
                    self.take(f"{name} raw by robots", physics.raw, *size, "robots")
                    self.take(f"{name} one batch", physics.batches, *size, 1)
                self.take(f"{name} batches", physics.batches, *size, self.cores)
            self._environments(robots)

    def _environments(self, robots: int) -> None:
        cores, seconds = self.cores, self.given.env_seconds
        for task, count in (("go2", robots), ("go2", 4 * robots), ("go1", robots)):
            more = {} if task == "go2" else {"physics_dt_s": physics.GO1_DT_S}
            called = (f"{task}-saytap", cores, count, seconds)
            self.take(f"{task} environment {count}", environments.ours, *called, **more)
        for worlds in (cores, 16 * cores):
            self.take(f"asynchronous {worlds}", environments.asynchronous, worlds, seconds)
        if self.given.peers:
            for batch in (ENVPOOL_ROBOTS, ENVPOOL_ROBOTS // 4):
                size = (self.given.peers, ENVPOOL_ROBOTS, batch, cores, seconds)
                self.take(f"envpool {batch}", environments.envpool, *size)

    def physics(self) -> Table:
        """Physics and environments, as shares of the C loop on the same model."""
        self._rounds()
        table = Table(
            f"Physics and environments, {self.given.repeats} rounds",
            ("", "physics steps/s a core", "control steps/s", "of raw C on the same model"),
        )
        robots, small, large = self.given.robots, self.cores, 16 * self.cores

        def add(what: str, name: str, of: str, substeps: int, *, physics_steps: bool) -> None:
            control = self.value(name) / (substeps if physics_steps else 1)
            factor = 1.0 if physics_steps else substeps
            steps = f"{control * substeps / self.cores:,.0f}"
            table.add(what, steps, f"{control:,.0f}", self.share(name, of, factor))

        for what, name in {
            f"Go2, {robots} robots: raw C, period by period": "go2 raw",
            "raw C, each robot to its end": "go2 raw by robots",
            "mujoco.batch, one on all cores": "go2 one batch",
            "mujoco.batch, one a core": "go2 batches",
        }.items():
            add(what, name, "go2 raw", SUBSTEPS, physics_steps=True)
        for what, name in {
            f"environment, {robots}": f"go2 environment {robots}",
            f"environment, {4 * robots}": f"go2 environment {4 * robots}",
            f"gymnasium AsyncVectorEnv, {small} worlds": f"asynchronous {small}",
            f"gymnasium AsyncVectorEnv, {large} worlds": f"asynchronous {large}",
        }.items():
            add(what, name, "go2 raw", SUBSTEPS, physics_steps=False)
        five = physics.GO1_SUBSTEPS
        theirs = "playground-go1 raw"
        add("Go1 of EnvPool: raw C", theirs, theirs, five, physics_steps=True)
        add("mujoco.batch", "playground-go1 batches", theirs, five, physics_steps=True)
        for way, batch in {"": ENVPOOL_ROBOTS, ", asynchronous": ENVPOOL_ROBOTS // 4}.items():
            what = f"EnvPool Go1JoystickFlatTerrain-v1, {ENVPOOL_ROBOTS}{way}"
            if self.given.peers:
                add(what, f"envpool {batch}", theirs, five, physics_steps=False)
            else:
                table.add(what, NO_ENVPOOL)
        add("Go1 of ours, 4 ms: raw C", "go1 raw", "go1 raw", five, physics_steps=True)
        add("mujoco.batch, one a core", "go1 batches", "go1 raw", five, physics_steps=True)
        add(
            f"environment, {robots}", f"go1 environment {robots}", "go1 raw", five,
            physics_steps=False,
        )  # fmt: skip
        return table

    # --- learners ---------------------------------------------------------------------------------

    def learners(self) -> Table:
        """Learners on the Go2 task, as ratios to rsl_rl, and to the C loop if that was measured."""
        robots, given, cores = self.given.robots, self.given, self.cores
        table = Table(f"Learners, {robots} robots", ("", "env-steps/s", "x rsl_rl", "of raw C"))
        size = (cores, robots, given.seconds)
        calls: dict[str, tuple[Any, ...]] = {
            "rsl_rl": (learners.rsl_rl, *size),
            "stable-baselines3 PPO": (learners.sb3, *size),
            "our PPO, plain network": (learners.ours, *size, False),
            "our PPO, mirrored network": (learners.ours, *size, True),
        }
        peers = {what: call[0].__name__ for what, call in calls.items()}
        absent = [
            what
            for what, peer in peers.items()
            if peer in learners.PEERS and not learners.installed(peer)
        ]
        for _ in range(given.learner_repeats):
            for what, call in calls.items():
                if what not in absent:
                    self.take(what, apart, *call)
        for what in calls:
            if what in absent:
                table.add(what, NO_LEARNER)
                continue
            speed = self.value(what)
            ratio = self.ratio(what, "rsl_rl") if "rsl_rl" in self.figures else ""
            measured = "go2 raw" in self.figures
            share = f"{SUBSTEPS * speed / self.value('go2 raw'):.1%}" if measured else ""
            table.add(what, f"{speed:,.0f}", ratio, share)
        return table

    # --- scaling ----------------------------------------------------------------------------------

    def by_robots(self) -> Table:
        """The environment and our learner with few and many robots."""
        columns = ("robots", *SCALED, "GB of one process, environment alone")
        table = Table(f"By robots, {self.cores} cores", columns)
        for robots in (n for n in ROBOTS if n % self.cores == 0):
            row = self._scale(self.cores, robots)
            table.add(f"{robots:,}", *row, f"{apart(environments.memory, robots):.2f}")
        return table

    def by_cores(self) -> Table:
        """The same on one core to all."""
        table = Table(f"By cores, {self.given.robots} robots", ("cores", *SCALED))
        cores = 1
        while cores <= self.cores:
            table.add(str(cores), *self._scale(cores, self.given.robots))
            cores *= 2
        return table

    def _scale(self, cores: int, robots: int) -> tuple[str, str]:
        name, given = f"{cores} cores, {robots} robots", self.given
        size = ("go2-saytap", cores, robots, given.env_seconds)
        self.take(f"environment, {name}", environments.ours, *size)
        learn = (learners.ours, cores, robots, given.scale_seconds, True)
        self.take(f"our PPO, {name}", apart, *learn)
        told = [self.value(f"{what}, {name}") for what in ("environment", "our PPO")]
        return f"{told[0]:,.0f}", f"{told[1]:,.0f}"


def _spread(values: list[float], form: str) -> str:
    return f"{median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--robots", type=int, default=1024, help="a multiple of cores")
    parser.add_argument("--periods", type=int, default=300, help="of physics alone")
    parser.add_argument("--repeats", type=int, default=5, help="rounds of physics")
    parser.add_argument("--env-seconds", type=float, default=3.0, help="of each environment")
    parser.add_argument("--seconds", type=float, default=30.0, help="of each learner")
    parser.add_argument("--learner-repeats", type=int, default=3, help="rounds of learners")
    parser.add_argument("--scale-seconds", type=float, default=30.0, help="of each size")
    parser.add_argument("--peers", help="interpreter that has EnvPool, see bench/peers.txt")
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=TABLES, help="these alone")
    parser.add_argument("--json", type=Path, help="file for every figure")
    given = parser.parse_args()
    if given.robots % given.cores:
        parser.error(f"expected --robots as a multiple of {given.cores} cores, got {given.robots}")
    on = machine()
    print(", ".join(f"{key} {value}" for key, value in on.items()), flush=True)
    tables: list[Table] = []
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(given, Path(name))
        for table in given.tables:
            tables.append(getattr(bench, table)())
            print(f"\n{tables[-1].markdown()}", flush=True)
            if given.json:
                told = {"machine": on, "settings": {k: str(v) for k, v in vars(given).items()}}
                told |= {"figures": bench.figures, "tables": {t.title: t.rows for t in tables}}
                given.json.write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
