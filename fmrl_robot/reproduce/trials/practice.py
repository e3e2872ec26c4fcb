"""Practising in worlds of skills, with looks at how well it goes; what agents' trials share.

Success is what the world says at the end of an episode, in worlds that were not practised in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fmrl_robot.ablation import Budget, Curve
from fmrl_robot.protocols import Agent, SkillEnv
from fmrl_robot.train.state_file import read_state, write_state

STATE = "practice.safetensors"
LOOKS = 500_000
"""Seeds of the worlds that are looked at begin here, far from those of practice."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """How much is practised."""

    decisions: int
    steps: int = 32
    """Of each world between updates."""
    looks_every: int = 1
    """Updates from one look to the next."""
    greedy: bool = True
    """Whether a look is at what the agent thinks best, or at what it would try."""


def practise(
    agent: Agent, worlds: SkillEnv, fresh: SkillEnv, seed: int, schedule: Schedule, budget: Budget
) -> Curve:
    """Practise, or go on with what the budget's folder holds; return success by decisions.

    Worlds begin anew after every look.

    Args:
        agent: who practises.
        worlds: where.
        fresh: of whose worlds each is looked at for one episode.
        seed: of all worlds.
        schedule: how much.
        budget: whose folder keeps the state.
    """
    file = budget.folder / STATE
    each = schedule.steps * schedule.looks_every * worlds.num_envs
    done, x, y = 0, [0.0], [success(agent, fresh, LOOKS + seed, greedy=schedule.greedy)]
    if file.is_file():
        kept = read_state(file)
        agent.load_state_dict(kept["agent"])
        done, x, y = kept["done"], kept["x"], kept["y"]
    for number in range(done, schedule.decisions // each):
        now = worlds.reset(1000 * seed + number)
        agent.begin(now)
        for step in range(1, schedule.steps * schedule.looks_every + 1):
            now = worlds.step(agent.act(now))
            agent.observe(now)
            if step % schedule.steps == 0:
                agent.update()
        x.append(float((number + 1) * each))
        y.append(success(agent, fresh, LOOKS + seed, greedy=schedule.greedy))
        budget.report(f"decisions={int(x[-1])} success={y[-1]:.2f}")
        write_state({"agent": agent.state_dict(), "done": number + 1, "x": x, "y": y}, file)
    return Curve(x=tuple(x), y=tuple(y))


def success(agent: Agent, worlds: SkillEnv, seed: int, *, greedy: bool = True) -> float:
    """Share of worlds whose first episode ends well; the agent learns nothing from it."""
    now = worlds.reset(seed)
    agent.begin(now)
    over = np.zeros(worlds.num_envs, np.bool_)
    won = np.zeros(worlds.num_envs, np.bool_)
    while not over.all():
        now = worlds.step(agent.act(now, greedy=greedy))
        agent.observe(now)
        won |= ~over & (now.rewards > 0)
        over |= now.terminated | now.truncated
    agent.begin(now)  # forgets what was chosen by chance, which would be learned from
    return float(won.mean())


def reached(curve: Curve, share: float) -> float:
    """Decisions until a look first saw this share succeed; all of them where none did."""
    return next((x for x, y in zip(curve.x, curve.y, strict=True) if y >= share), curve.x[-1])
