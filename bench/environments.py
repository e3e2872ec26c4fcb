"""Environment steps a second: ours, gymnasium's AsyncVectorEnv and EnvPool."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import mujoco
import numpy as np
import torch
from gymnasium.vector import AsyncVectorEnv

from bench.common import FIDGET_RAD, at_once
from bench.physics import Subject, subject
from fmrl_robot.control import locomotion as loco
from fmrl_robot.registry import TASKS

WARM_STEPS = 32
FALLEN_M = 0.16
ENVPOOL_ACTION_RAD = 0.5
"""Offset of a joint target of EnvPool's Go1 for an action of 1."""


def ours(task: str, cores: int, robots: int, seconds: float, **settings: Any) -> float:
    """Environment steps a second of one worker a core: everything that a learner gets."""
    return at_once(cores, _prepare, task, robots // cores, seconds, settings)


def _prepare(
    number: int, task: str, robots: int, seconds: float, settings: dict[str, Any]
) -> Callable[[], int]:
    torch.set_num_threads(1)
    env = TASKS.load(task)(num_envs=robots, threads=1, seed=number, **settings)
    env.reset()
    actions = FIDGET_RAD / loco.ACTION_SCALE * torch.randn((WARM_STEPS, robots, 12))
    for action in actions:
        env.step(action)

    def work() -> int:
        over, steps = time.perf_counter() + seconds, 0
        while time.perf_counter() < over:
            env.step(actions[steps % WARM_STEPS])
            steps += 1
        return steps * robots

    return work


def memory(robots: int) -> float:
    """Greatest GB that a process has taken with so many robots."""
    env = TASKS.load("go2-saytap")(num_envs=robots)
    env.reset()
    for _ in range(3):
        env.step(torch.zeros((robots, 12)))
    # Not getrusage: what it tells is at least what the process that started this one had.
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    if peak is None:
        raise RuntimeError("expected VmHWM in /proc/self/status, found none; measure on Linux")
    return int(peak[1]) / 2**20


class OneGo2(gymnasium.Env[np.ndarray, np.ndarray]):
    """The Go2 task's physics and proprioception in one world, as gymnasium's users write it.

    It is smaller than ours: one reward term of fifteen, no noise, latency, pushes or patterns.
    """

    def __init__(self) -> None:
        self._go2: Subject = subject("go2")
        self._data = mujoco.MjData(self._go2.model)
        self._action = np.zeros(12)
        limits = np.full(12, 8.0, np.float32)
        self.action_space = gymnasium.spaces.Box(-limits, limits)
        self.observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (45,), np.float32)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        mujoco.mj_resetData(self._go2.model, self._data)
        self._data.qpos[:] = self._go2.qpos
        self._action[:] = 0.0
        return self._observe(), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        data, go2 = self._data, self._go2
        self._action[:] = action
        data.ctrl[:] = go2.targets + loco.ACTION_SCALE * self._action
        mujoco.mj_step(go2.model, data, go2.substeps)
        reward = float(np.exp(-4.0 * np.square(data.qvel[:2]).sum()))
        return self._observe(), reward, bool(data.qpos[2] < FALLEN_M), False, {}

    def _observe(self) -> np.ndarray:
        data = self._data
        w, x, y, z = data.qpos[3:7]
        gravity = (2 * (w * y - x * z), -2 * (y * z + w * x), 2 * (x * x + y * y) - 1)
        joints = (data.qpos[7:] - self._go2.targets, data.qvel[6:])
        parts = (data.qvel[3:6], gravity, np.zeros(3), *joints, self._action)
        return np.concatenate(parts).astype(np.float32)


def asynchronous(worlds: int, seconds: float) -> float:
    """Environment steps a second of gymnasium's AsyncVectorEnv, one process a world."""
    env = AsyncVectorEnv([OneGo2] * worlds)
    env.reset()
    rng = np.random.default_rng(0)
    scale = FIDGET_RAD / loco.ACTION_SCALE
    actions = scale * rng.standard_normal((WARM_STEPS, worlds, 12)).astype(np.float32)
    for action in actions:
        env.step(action)
    began, steps = time.perf_counter(), 0
    while (took := time.perf_counter() - began) < seconds:
        env.step(actions[steps % WARM_STEPS])
        steps += 1
    env.close()
    return worlds * steps / took


def envpool(python: str, robots: int, batch: int, cores: int, seconds: float) -> float:
    """Environment steps a second of EnvPool's Go1, by an interpreter that has EnvPool."""
    script = Path(__file__).parent / "envpool_peer.py"
    given = [robots, batch, cores, seconds, FIDGET_RAD / ENVPOOL_ACTION_RAD]
    command = [python, str(script), *map(str, given)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{command} failed:\n{done.stderr}")
    return float(json.loads(done.stdout.splitlines()[-1]))
