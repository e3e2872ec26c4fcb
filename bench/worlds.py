"""Steps a second of SkillEnv's symbolic back end on one core: ``python -m bench.worlds``.

A step is a choice among what is admissible, taken at random, with everything that an agent sees
after it: caption, admissible phrases, facts, numbers. Drawing the choice is not counted. ``done``
is never chosen, so that episodes have their length. The first steps, before states come again,
are counted like all others.
"""

from __future__ import annotations

import argparse
import json
import random
import time

from fmrl_robot.skills.env import (
    PlayedSkillEnv,
    SkillEnvOptions,
    TableOptions,
    YardOptions,
    symbolic_env,
    table_tasks,
    yard_tasks,
)

WORLDS = {
    "table, macros": (table_tasks(), "panda", SkillEnvOptions()),
    "table, skills": (table_tasks(), "panda", SkillEnvOptions(macros=False)),
    "table, hard": (
        table_tasks(TableOptions(locked=0.5, far=0.5, held=0.3)),
        "panda",
        SkillEnvOptions(hides=True, moved=0.1),
    ),
    "table, longer": (table_tasks(), "panda", SkillEnvOptions(split="longer")),
    "yard": (yard_tasks(), "go2", SkillEnvOptions(max_steps=30)),
    "yard, no gate": (yard_tasks(YardOptions(gate=False)), "go2", SkillEnvOptions(max_steps=30)),
}


def rate(env: PlayedSkillEnv, steps: int, seed: int) -> float:
    """Steps of one world a second of this process's time."""
    rng, now = random.Random(seed), env.reset(seed)
    spent = 0.0
    for _ in range(steps // env.num_envs):
        choices = [rng.choice(view.admissible[:-1].nonzero()[0].tolist()) for view in now.views]
        began = time.process_time()
        now = env.step(choices)
        spent += time.process_time() - began
    return steps / spent


def main() -> None:
    """Print a line of JSON a world."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=40_000)
    parser.add_argument("--envs", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    for name, (tasks, robot, options) in WORLDS.items():
        env = symbolic_env(tasks, robot, given.envs, options)
        found = rate(env, given.steps, given.seed)
        print(json.dumps({"world": name, "steps_per_s": round(found), **vars(given)}), flush=True)


if __name__ == "__main__":
    main()
