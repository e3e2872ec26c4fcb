"""How near training comes to the limit: raw C physics, our engine, our environment, our learner.

``python -m bench.train [--cores 4] [--robots 1024] [--seconds 60]`` prints one table; every row is
also told as a share of the raw limit, measured in the same run. The limit is a C loop of
``mj_step`` with one pinned thread a core, compiled here with the system's compiler against the
installed MuJoCo, from states and with controls of the task. Learners run on the same task with the
same network and batch; rsl_rl needs ``pip install ".[bench]"``.
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
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import mujoco
import numpy as np
import torch
from mujoco.batch import Batch

from fmrl_robot.robots import GO2
from fmrl_robot.train.ppo import LearnerConfig
from fmrl_robot.train.trainer import TrainConfig, train
from fmrl_sim.batched.quadruped_model import training_model
from fmrl_sim.batched.randomisation import NO_RANDOMISATION
from fmrl_sim.tasks.saytap import make_go2

PHYSICS_DT_S = 0.02 / 3
SUBSTEPS = 3
STEPS = 24
FIDGET = 0.1
"""Standard deviation of the joint targets, rad."""
LEARNER = {"epochs": 5, "mini_batches": 4}


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


def workload(folder: Path, robots: int, periods: int) -> None:
    """Leave model, states in the middle of the task and controls in files."""
    model = training_model(GO2, PHYSICS_DT_S)
    mujoco.mj_saveModel(model, str(folder / "model.mjb"))
    env = make_go2(num_envs=robots, physics_dt_s=PHYSICS_DT_S, randomisation=NO_RANDOMISATION)
    env.reset()
    for _ in range(50):
        env.step(FIDGET / 0.3 * torch.randn((robots, 12)))
    states = np.concatenate([env.world.qpos.numpy(), env.world.qvel.numpy()], axis=1)
    states.tofile(folder / "states")
    rng = np.random.default_rng(0)
    controls = GO2.default + FIDGET * rng.standard_normal((robots, periods, model.nu))
    controls.tofile(folder / "controls")


def raw(program: Path, folder: Path, cores: int, robots: int, periods: int) -> float:
    """Physics steps a second of the C loop."""
    files = [folder / name for name in ("model.mjb", "controls", "states")]
    command = [str(a) for a in (program, *files, cores, robots, periods, SUBSTEPS)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def engine(folder: str, cores: int, robots: int, periods: int) -> float:
    """Physics steps a second of mujoco.batch from the same states with the same controls."""
    model = training_model(GO2, PHYSICS_DT_S)
    states = np.fromfile(Path(folder) / "states").reshape(robots, -1)
    controls = np.fromfile(Path(folder) / "controls").reshape(robots, periods, model.nu)
    batch = Batch(model, robots, cores)
    qpos, qvel, ctrl = batch.bind("qpos"), batch.bind("qvel"), batch.bind("ctrl")
    batch.step()  # the threads are there
    batch.reset(stage=int(mujoco.mjtStage.mjSTAGE_NONE))
    qpos[:], qvel[:] = states[:, : model.nq], states[:, model.nq :]
    began = time.perf_counter()
    for period in range(periods):
        ctrl[:] = controls[:, period]
        batch.step(nstep=SUBSTEPS, stage=int(mujoco.mjtStage.mjSTAGE_NONE))
    return robots * periods * SUBSTEPS / (time.perf_counter() - began)


def environment(robots: int, start_at: float, seconds: float) -> float:
    """Environment steps a second of one worker: everything that a learner gets."""
    torch.set_num_threads(1)
    env = make_go2(num_envs=robots, threads=1, physics_dt_s=PHYSICS_DT_S)
    env.reset()
    actions = FIDGET / 0.3 * torch.randn((32, robots, 12))
    for action in actions:
        env.step(action)
    time.sleep(max(0.0, start_at - time.time()))
    began, steps = time.perf_counter(), 0
    while (took := time.perf_counter() - began) < seconds:
        env.step(actions[steps % len(actions)])
        steps += 1
    return robots * steps / took


def environments(cores: int, robots: int, seconds: float) -> float:
    """Environment steps a second of one worker a core, all at once."""
    start_at = time.time() + 12.0
    with ThreadPoolExecutor(cores) as pool:
        calls = [
            pool.submit(apart, "environment", robots // cores, start_at, seconds)
            for _ in range(cores)
        ]
        return sum(call.result() for call in calls)


def ours(cores: int, robots: int, seconds: float, mirrored: bool) -> float:
    """Environment steps a second of collecting and learning."""
    lines: list[str] = []
    config = TrainConfig(
        task_settings={"num_envs": robots, "physics_dt_s": PHYSICS_DT_S, "threads": 1},
        workers=cores,
        iterations=10**6,
        steps_per_env=STEPS,
        minutes=seconds / 60,
        save_every=10**6,
        mirror=mirrored,
        **LEARNER,
    )
    with tempfile.TemporaryDirectory() as folder:
        train(config, Path(folder), report=lines.append)
    words = dict(word.split("=") for word in lines[-1].split() if "=" in word)
    return float(words["steps"]) / float(words["elapsed_s"])


def rsl_rl(cores: int, robots: int, seconds: float) -> float:
    """The same of rsl_rl's runner, with physics on all cores and two threads of torch."""
    from bench.rsl_rl_runner import build

    torch.set_num_threads(2)
    env = make_go2(num_envs=robots, threads=cores, physics_dt_s=PHYSICS_DT_S)
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        runner = build(env, folder, LearnerConfig(**LEARNER), STEPS)
        steps, took = runner.measure(seconds)
    return steps / took


def memory(robots: int) -> float:
    """GB that a process takes with so many robots."""
    env = make_go2(num_envs=robots, physics_dt_s=PHYSICS_DT_S)
    env.reset()
    for _ in range(3):
        env.step(torch.zeros((robots, 12)))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def apart(what: str, *arguments: Any) -> Any:
    """Run one measurement in a process of its own, so that none disturbs the next."""
    code = f"import json; from bench import train; print(json.dumps(train.{what}(*{arguments!r})))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--robots", type=int, default=1024)
    parser.add_argument("--periods", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each learner")
    given = parser.parse_args()
    cores, robots, periods = given.cores, given.robots, given.periods
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        program = compile_raw(folder)
        workload(folder, robots, periods)
        rounds: list[tuple[float, ...]] = []
        for _ in range(given.repeats):  # turn about, so that a slow minute slows all of them
            one = raw(program, folder, cores, robots, periods)
            of_engine = apart("engine", name, cores, robots, periods)
            two = raw(program, folder, cores, robots, periods)
            of_env = environments(cores, robots, 3.0), environments(cores, 4096, 3.0)
            rounds.append(((one + two) / 2, of_engine, *(SUBSTEPS * speed for speed in of_env)))
    limit = median(r[0] for r in rounds)
    print(f"cores={cores} limit={limit:.0f} mj_step/s = {limit / SUBSTEPS:.0f} env-steps/s")
    names = ("mujoco.batch", f"environment, {robots}", "environment, 4096")
    for i, what in enumerate(names, start=1):
        share = median(r[i] / r[0] for r in rounds)
        speed = median(r[i] for r in rounds) / SUBSTEPS
        print(f"{what}: {speed:.0f} env-steps/s, {share:.1%} of raw C")
    print(f"memory of 4096 environments: {apart('memory', 4096):.2f} GB")
    learners = {
        "rsl_rl, plain network": ("rsl_rl", cores, robots, given.seconds),
        "PPO, plain network": ("ours", cores, robots, given.seconds, False),
        "PPO, mirrored network": ("ours", cores, robots, given.seconds, True),
    }
    speed = {what: apart(*call) for what, call in learners.items()}
    for what, value in speed.items():
        ratio = value / speed["rsl_rl, plain network"]
        print(f"{what}: {value:.0f} env-steps/s, {ratio:.2f} x rsl_rl")


if __name__ == "__main__":
    main()
