"""Records the physics state of a run, so that a judge who was not there can decide about it.

``physics.npz`` in the run folder holds 50 states a second with seed and options of each episode. It
is replaced atomically every few seconds and at the end, so an abnormal end loses little. Where the
end itself finds no room the record is put aside: nobody shall judge a run by its first half.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any
from zipfile import BadZipFile

import mujoco
import numpy as np

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.files import replacing
from fmrl_robot.types import FloatArray
from fmrl_sim.body import MujocoBody
from fmrl_sim.scenes.base import SceneOptions, SceneState

FILE_NAME, UNFINISHED = "physics.npz", "physics-unfinished.npz"
SAVE_EVERY = 250
"""Rows from one save to the next, about 5 s."""
_FORMAT = 1
_Row = tuple[float, FloatArray, FloatArray, FloatArray]
"""Time, positions, velocities, controls."""
_Block = tuple[FloatArray, FloatArray, FloatArray, FloatArray]
"""The same for many rows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """One episode, as it happened."""

    scene: str
    robot: str
    seed: int
    options: SceneOptions
    start: SceneState
    time: FloatArray
    """Physics time in s, shape (rows,)."""
    qpos: FloatArray
    """Shape (rows, nq)."""
    qvel: FloatArray
    """Shape (rows, nv)."""
    ctrl: FloatArray
    """Shape (rows, nu)."""
    error: str
    """Why the body ended, empty where it ended well."""

    def restore(self, model: mujoco.MjModel, data: mujoco.MjData, row: int = -1) -> None:
        """Put ``data`` into a recorded state and compute contacts and sensors of it."""
        self.start.apply(model, data)
        data.time = self.time[row]
        data.qpos[:], data.qvel[:] = self.qpos[row], self.qvel[row]
        mujoco.mj_forward(model, data)


class Recorder:
    """Keeps rows in memory and writes them beside the loop, never in it.

    Rows are stacked a block at a time: stacking all of a long run at once would hold the
    interpreter for longer than a command may take.
    """

    def __init__(self, folder: Path, body: MujocoBody) -> None:
        self.path = folder / FILE_NAME
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(
                f"expected a folder that can be written at {folder}, got {error}; name another "
                "run_dir, or none to record nothing",
                ErrorCode.WRITE_FAILED,
            ) from error
        self._rows: list[_Row] = []
        self._blocks: list[_Block] = []
        self._count = 0
        self._episodes: list[dict[str, Any]] = []
        self._starts: list[SceneState] = []
        self._writer: Thread | None = None
        self._error = ""
        self.problem = ""
        """Why the last save failed, empty where it did not."""
        self.begin(body)
        body.listeners.append(self.begin)

    def begin(self, body: MujocoBody) -> None:
        """Open an episode at the present state."""
        self._scene, self._robot = body.scene.name, body.robot.name
        self._episodes.append(
            {"first": self._count, "seed": body.seed, "options": body.options.to_json()}
        )
        self._starts.append(SceneState.of(body.data))
        self.add(body)

    def add(self, body: MujocoBody) -> None:
        """Record one row; call it once a command period."""
        data = body.data
        self._rows.append((body.now, data.qpos.copy(), data.qvel.copy(), data.ctrl.copy()))
        self._count += 1
        if len(self._rows) == SAVE_EVERY:
            self._stack()
            if not (self._writer and self._writer.is_alive()):
                self._writer = Thread(target=self._write, args=(list(self._blocks),), daemon=True)
                self._writer.start()

    def close(self, error: str = "") -> None:
        """Write everything; ``error`` says why the run ended badly, if it did.

        Raises:
            ConfigError: it found no room; what there was before is put aside.
        """
        if self._writer:
            self._writer.join(timeout=10.0)
        self._error = error
        self._stack()
        try:
            self._replace(self._blocks)
        except ConfigError:
            if self.path.is_file():
                self.path.replace(self.path.with_name(UNFINISHED))
            raise

    def _stack(self) -> None:
        if self._rows:
            time, qpos, qvel, ctrl = (np.array(column) for column in zip(*self._rows, strict=True))
            self._blocks.append((time, qpos, qvel, ctrl))
            self._rows = []

    def _write(self, blocks: list[_Block]) -> None:
        """Be the thread that saves."""
        try:
            self._replace(blocks)
        except ConfigError as error:
            self.problem = str(error)
        else:
            self.problem = ""

    def _replace(self, blocks: list[_Block]) -> None:
        time, qpos, qvel, ctrl = (np.concatenate(column) for column in zip(*blocks, strict=True))
        episodes = [e for e in self._episodes if e["first"] < len(time)]
        starts = self._starts[: len(episodes)]
        header = {
            "format": _FORMAT,
            "scene": self._scene,
            "robot": self._robot,
            "episodes": episodes,
            "error": self._error,
        }
        with replacing(self.path) as part, part.open("wb") as file:
            np.savez(
                file,
                header=np.array(json.dumps(header)),
                time=time,
                qpos=qpos,
                qvel=qvel,
                ctrl=ctrl,
                start_qpos=np.array([s.qpos for s in starts]),
                start_mocap_pos=np.array([s.mocap_pos for s in starts]),
                start_mocap_quat=np.array([s.mocap_quat for s in starts]),
            )
            file.flush()
            os.fsync(file.fileno())


def load(folder: Path, episode: int = -1) -> Record:
    """Read one episode of a run folder; the last by default.

    Raises:
        ConfigError: there is no record, or it is not one of ours.
    """
    path = folder / FILE_NAME if folder.is_dir() else folder
    if not path.is_file():
        found = UNFINISHED if path.with_name(UNFINISHED).is_file() else "none"
        raise ConfigError(
            f"expected a recorded run at {path}, found {found}; run the simulator with a run "
            "folder that has room",
            ErrorCode.ASSET_MISSING,
        )
    try:
        return _read(path, episode)
    except (OSError, EOFError, ValueError, KeyError, TypeError, IndexError, BadZipFile) as error:
        raise ConfigError(
            f"expected a record of this library with episode {episode} at {path}, got {error!r}; "
            "copy it again, or name another run"
        ) from None


def _read(path: Path, episode: int) -> Record:
    with np.load(path, allow_pickle=False) as file:
        header = json.loads(str(file["header"]))
        if header.get("format") != _FORMAT:
            raise ConfigError(f"expected record format {_FORMAT}, got {header.get('format')!r}")
        episodes = header["episodes"]
        index = range(len(episodes))[episode]
        first = episodes[index]["first"]
        last = episodes[index + 1]["first"] if index + 1 < len(episodes) else len(file["time"])
        rows = slice(first, last)
        return Record(
            scene=header["scene"],
            robot=header["robot"],
            seed=int(episodes[index]["seed"]),
            options=SceneOptions.from_json(episodes[index]["options"]),
            start=SceneState(
                qpos=file["start_qpos"][index],
                mocap_pos=file["start_mocap_pos"][index],
                mocap_quat=file["start_mocap_quat"][index],
            ),
            time=file["time"][rows],
            qpos=file["qpos"][rows],
            qvel=file["qvel"][rows],
            ctrl=file["ctrl"][rows],
            error=header["error"],
        )
