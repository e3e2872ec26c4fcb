"""How near training comes to the limit: raw C physics, our engine, our environment, our learner.

``python -m bench.train [--threads 4] [--robots 1024] [--seconds 60]`` prints one table; every row
is also told as a share of the raw limit, measured in the same run. The limit is a C loop of
``mj_step`` with one pinned thread a core, compiled here with the system's compiler against the
installed MuJoCo. Learners run on the same environment with the same network and batch; rsl_rl needs
``pip install ".[bench]"``.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import mujoco
import numpy as np
import torch
from mujoco.batch import Batch

from fmrl_robot.robots import GO2
from fmrl_robot.train.collect import Collector
from fmrl_robot.train.networks import Mirror
from fmrl_robot.train.ppo import PPO, ActorCritic, LearnerConfig
from fmrl_sim.batched.quadrupeds import training_model
from fmrl_sim.scenes.ground import standing_qpos
from fmrl_sim.tasks.go2_saytap import make

PHYSICS_DT_S = 0.02 / 3
SUBSTEPS = 3
STEPS = 24


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


def workload(robots: int, periods: int) -> tuple[mujoco.MjModel, np.ndarray, np.ndarray]:
    """Robots that stand up and fidget: model, start and controls (robots, periods, nu)."""
    model = training_model(GO2, PHYSICS_DT_S)
    rng = np.random.default_rng(0)
    controls = GO2.default + 0.1 * rng.standard_normal((robots, periods, model.nu))
    return model, standing_qpos(GO2, model), controls


def raw(program: Path, folder: Path, threads: int, robots: int, periods: int) -> float:
    """Physics steps a second of the C loop."""
    model, start, controls = workload(robots, periods)
    mujoco.mj_saveModel(model, str(folder / "model.mjb"))
    controls.tofile(folder / "controls")
    start.tofile(folder / "start")
    arguments = [folder / "model.mjb", folder / "controls", threads, robots, periods, SUBSTEPS]
    command = [str(a) for a in (program, *arguments, folder / "start")]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def engine(threads: int, robots: int, periods: int) -> float:
    """Physics steps a second of mujoco.batch on the same states and controls."""
    model, start, controls = workload(robots, periods)
    batch = Batch(model, robots, threads)
    qpos, ctrl = batch.bind("qpos"), batch.bind("ctrl")
    batch.bind("sensordata")
    qpos[:] = start
    began = time.perf_counter()
    for period in range(periods):
        ctrl[:] = controls[:, period]
        batch.step(nstep=SUBSTEPS, stage=int(mujoco.mjtStage.mjSTAGE_NONE))
    return robots * periods * SUBSTEPS / (time.perf_counter() - began)


def environment(threads: int, robots: int, periods: int) -> float:
    """Environment steps a second: observations, rewards, goals, resets, randomisation, latency."""
    torch.set_num_threads(threads)
    env = make(num_envs=robots, threads=threads, physics_dt_s=PHYSICS_DT_S)
    env.reset()
    rng = torch.Generator().manual_seed(0)
    actions = torch.randn((periods, robots, 12), generator=rng) * (0.1 / 0.3)
    for action in actions[:5]:
        env.step(action)
    began = time.perf_counter()
    for action in actions:
        env.step(action)
    return robots * periods / (time.perf_counter() - began)


def ours(threads: int, robots: int, seconds: float, mirrored: bool) -> dict[str, float]:
    """Environment steps a second of collecting and learning at once."""
    torch.set_num_threads(2)
    env = make(num_envs=robots, threads=threads, physics_dt_s=PHYSICS_DT_S)
    mirror = None
    if mirrored:
        parts = env.mirror()
        seen, answered = (
            Mirror(swap=tuple(parts[f"{k}_swap"]), sign=tuple(parts[f"{k}_sign"]))
            for k in ("observation", "action")
        )
        mirror = seen, answered
    first = env.reset()
    sizes = (first["policy"].shape[1], first["critic"].shape[1], 12)
    torch.manual_seed(0)
    networks = ActorCritic(LearnerConfig(epochs=5), sizes, mirror)
    learner = PPO(LearnerConfig(epochs=5), networks)
    collector = Collector(env, networks, steps=STEPS, seed=0)
    began, iterations = time.perf_counter(), 0
    pending = collector.start()
    while time.perf_counter() - began < seconds:
        rollout = pending.result()
        pending = collector.start()
        learner.update(rollout)
        iterations += 1
    took = time.perf_counter() - began
    pending.result()
    collector.close()
    return {"steps_per_s": iterations * STEPS * robots / took}


def rsl_rl(threads: int, robots: int, seconds: float) -> dict[str, float]:
    """The same of rsl_rl's runner, at its best number of torch threads here."""
    from bench.rsl_rl_runner import build

    torch.set_num_threads(2)
    env = make(num_envs=robots, threads=threads, physics_dt_s=PHYSICS_DT_S)
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        runner = build(env, folder, LearnerConfig(epochs=5), STEPS)
        steps, took = runner.measure(seconds)
    return {"steps_per_s": steps / took}


def apart(what: str, *arguments: object) -> dict[str, float]:
    """Run one measurement in a process of its own, so that none disturbs the next."""
    code = f"import json; from bench import train; print(json.dumps(train.{what}(*{arguments!r})))"
    environment = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE"}
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment
    )
    return json.loads(done.stdout.splitlines()[-1])


def memory(robots: int) -> float:
    """GB that this process has at most taken with so many robots."""
    env = make(num_envs=robots, physics_dt_s=PHYSICS_DT_S)
    env.reset()
    for _ in range(3):
        env.step(torch.zeros((robots, 12)))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--robots", type=int, default=1024)
    parser.add_argument("--periods", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each learner")
    given = parser.parse_args()
    threads, robots, periods = given.threads, given.robots, given.periods
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        program = compile_raw(folder)
        rounds = []
        for _ in range(given.repeats):  # turn about, so that a slow minute slows all of them
            rounds.append(
                (
                    raw(program, folder, threads, robots, periods),
                    apart("engine", threads, robots, periods),
                    SUBSTEPS * apart("environment", threads, robots, periods),
                    SUBSTEPS * apart("environment", threads, 4096, periods // 4),
                )
            )
    limit = median(r[0] for r in rounds)
    print(f"cores={os.cpu_count()} threads={threads} robots={robots} limit={limit:.0f} mj_step/s")
    names = ("mujoco.batch", f"environment, {robots}", "environment, 4096")
    for i, name in enumerate(names, start=1):
        share = median(r[i] / r[0] for r in rounds)
        print(f"{name}: {median(r[i] for r in rounds) / SUBSTEPS:.0f} env/s, {share:.1%} of raw C")
    print(f"memory of 4096 environments: {apart('memory', 4096):.2f} GB")
    learners = {
        "PPO, plain network": ("ours", threads, robots, given.seconds, False),
        "PPO, mirrored network": ("ours", threads, robots, given.seconds, True),
        "rsl_rl, plain network": ("rsl_rl", threads, robots, given.seconds),
    }
    speed = {name: apart(*call)["steps_per_s"] for name, call in learners.items()}
    for name, value in speed.items():
        ratio = value / speed["rsl_rl, plain network"]
        print(f"{name}: {value:.0f} env-steps/s, {ratio:.2f} x rsl_rl")


if __name__ == "__main__":
    main()
