"""SayTap's trial: 25 commands through one interface, judged as plans and as they are walked.

The interfaces are what a model may say. *Patterns*: the plan language as it is. *Choice*: one gait
of the paper's five with a speed and, for standing on three legs, the leg; the model's decoding is
held to that. *Sinusoids*: one for each leg; the model's plan is drawn by four sinusoids, so it
loses what they cannot say and nothing by being spoken badly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fmrl_robot.ablation import Budget, Measured, Value
from fmrl_robot.assets import policies_dir
from fmrl_robot.errors import FmrlError
from fmrl_robot.evaluations.spine_quadruped import match
from fmrl_robot.fm import load_language_model
from fmrl_robot.methods.saytap import GUIDE
from fmrl_robot.planners import gait_language
from fmrl_robot.planners.prompting import PlanAsker
from fmrl_robot.planners.saytap_commands import COMMANDS, Command, problems, touchdowns
from fmrl_robot.types import BoolArray, Scene, SubGoal

COMMON, BEYOND, TWO_FEET = range(1, 21), (22, 24, 25), 23
"""Commands that a choice of gaits can say; three that it cannot; one that is told apart, because
standing on two feet is a matter of balance."""
SKIP_S = 1.0
"""Of each stretch: the robot gets into its gait."""
OTHER = 12
"""A control carries out the command so many further on."""
CHOICE = """
root ::= "stand(0)" | "stand(0,up=" leg ")" | gait "(" speed ")"
gait ::= "trot" | "pace" | "bound"
speed ::= "-1" | "-0.5" | "0" | "0.5" | "1"
leg ::= "FL" | "FR" | "RL" | "RR"
"""
"""GBNF of the paper's five kinds of gait, one a command."""


def trial(settings: Mapping[str, Value], seed: int, budget: Budget) -> Measured:
    """Plan every command, walk the plans, judge both; see Ablation.trial.

    Settings:
        interface: patterns, choice or sinusoids.
        model: as fm names it.
        temperature: of sampling.
        other: carry out another command's plan.
    """
    commands = COMMANDS[:: int(budget.amounts["every"])]
    model = _model(str(settings["model"]))
    interface = str(settings["interface"])
    plans = _plans(model, commands, interface, float(settings["temperature"]), seed)
    if settings.get("other"):
        shift = OTHER % len(plans) or 1
        plans = plans[shift:] + plans[:shift]
    walked = Walk(plans, seed, budget)
    right = {c.number: not problems(p, c.segments) for c, p in zip(commands, plans, strict=True)}
    matches = {c.number: walked.match(i, c.number) for i, c in enumerate(commands)}
    scores: dict[str, float | Mapping[str, float]] = {"right": float(np.mean([*right.values()]))}
    for name, of, numbers in (
        ("beyond", right, BEYOND),
        ("match common", matches, COMMON),
        ("match beyond", matches, BEYOND),
    ):
        told = {str(n): float(of[n]) for n in numbers if n in of}
        scores[name] = told if name.startswith("match") else float(np.mean([*told.values()]))
    scores["falls"] = walked.falls([i for i, c in enumerate(commands) if c.number != TWO_FEET])
    return Measured(scores=scores, model=model.model_id)


@cache
def _model(name: str) -> Any:
    return load_language_model(name)


def _plans(
    model: Any, commands: Sequence[Command], interface: str, temperature: float, seed: int
) -> list[list[SubGoal]]:
    """What the model wants of each command, as the interface can say it; empty where it fails."""
    grammar = CHOICE if interface == "choice" else gait_language.GRAMMAR
    asker = PlanAsker(
        model, method="saytap", grammar=grammar, kind="quadruped", guide=GUIDE,
        temperature=temperature, seed=seed,
    )  # fmt: skip
    plans: list[list[SubGoal]] = []
    for command in commands:
        try:
            text = asker.ask(asker.reset(command.text), Scene(stamp_s=0.0), ())
            plan = gait_language.parse(text)
        except FmrlError:  # a refusal, or no sentence of the language: a wrong answer like others
            plan = []
        plans.append(as_sinusoids(plan) if interface == "sinusoids" else plan)
    return plans


def as_sinusoids(plan: Sequence[SubGoal]) -> list[SubGoal]:
    """The first segment drawn by four sinusoids: one set of them is all that there is."""
    return [
        replace(s, pattern=replace(s.pattern, contacts=sinusoids(s.pattern.contacts)))
        for s in plan[:1]
        if s.pattern is not None
    ]


def sinusoids(rows: BoolArray) -> BoolArray:
    """Rows (4, length) as sinusoids say them: frequency and phase of each, down half of the time.

    Phases are quarters of a cycle, in step with the first leg that moves: in words, together, a
    quarter later, opposed. A foot without amplitude stands, also where the row keeps it in the air.
    """
    steps = [touchdowns(row) for row in rows]
    phases = [
        -np.angle(np.fft.rfft(row.astype(np.float64))[k]) / (2 * np.pi)
        for row, k in zip(rows, steps, strict=True)
    ]
    lead = next((i for i, k in enumerate(steps) if k), 0)
    time = np.arange(rows.shape[1]) / rows.shape[1]
    drawn: list[BoolArray] = []
    for k, phase in zip(steps, phases, strict=True):
        start = np.round(4 * (phase - phases[lead] * (k == steps[lead]))) / 4
        drawn.append((k * time - start) % 1.0 < 0.5 if k else np.ones_like(rows[0]))
    return np.stack(drawn)


class Walk:
    """Plans carried out by the shipped policy in MuJoCo, each by several robots at once."""

    def __init__(self, plans: Sequence[Sequence[SubGoal]], seed: int, budget: Budget) -> None:
        """Walk them.

        Args:
            plans: of each command; segments of one share its time.
            seed: of where robots begin.
            budget: ``robots`` of each plan, ``seconds`` that each walks.
        """
        import torch

        from fmrl_robot.control import locomotion as loco
        from fmrl_robot.train.evaluate import POLICY, OnnxPolicy
        from fmrl_sim.batched.randomisation import NO_RANDOMISATION
        from fmrl_sim.scenes.ground import PHYSICS_DT_S
        from fmrl_sim.tasks.saytap import SaytapConfig, Walkers, fallen, policy

        self._robots = int(budget.amounts["robots"])
        walkers = Walkers(
            SaytapConfig(
                robot="go2", num_envs=self._robots * len(plans), seed=seed, threads=budget.threads,
                physics_dt_s=PHYSICS_DT_S, randomisation=NO_RANDOMISATION,
            )
        )  # fmt: skip
        act = OnnxPolicy(policies_dir() / "go2-saytap" / POLICY)
        walkers.restart(torch.arange(walkers.count))
        steps = round(float(budget.amounts["seconds"]) / walkers.control_dt_s)
        self._skip = round(SKIP_S / walkers.control_dt_s)
        self._contacts = np.zeros((steps, walkers.count, 4), dtype=np.bool_)
        self._fell = np.zeros(walkers.count, dtype=np.bool_)
        heading, stepping = walkers.yaw, torch.zeros(walkers.count)
        for step in range(steps):
            for i, plan in enumerate(plans):
                ids = self._ids(i)
                part = step * max(len(plan), 1) // steps
                if step == 0 or part > (step - 1) * max(len(plan), 1) // steps:
                    rows, vx = _goal(plan[part : part + 1])
                    walkers.set_goal(ids, rows, np.array([vx, 0.0, 0.0]))
                    stepping[ids] = float((rows.any(axis=1) & ~rows.all(axis=1)).any())
            turn = loco.keep_heading(torch.zeros(walkers.count), heading - walkers.yaw)
            walkers.command[:, 2] = turn * stepping
            walkers.act(torch.as_tensor(act(policy(walkers).numpy().astype(np.float64))).float())
            self._contacts[step] = walkers.contacts.numpy()
            self._fell |= fallen(walkers).numpy()

    def _ids(self, plan: int) -> NDArray[np.int64]:
        return np.arange(plan * self._robots, (plan + 1) * self._robots)

    def match(self, plan: int, number: int) -> float:
        """Share of feet and moments as the test wants them of command ``number``, over robots."""
        from fmrl_sim.tasks.saytap_evaluation import saytap_commands

        wanted = saytap_commands()[number - 1]
        patterns = [*wanted.patterns, *([] if wanted.then is None else [wanted.then])]
        stretches = np.array_split(self._contacts, len(patterns))
        return float(
            np.mean(
                [
                    match(stretch[self._skip :, robot], pattern)
                    for stretch, pattern in zip(stretches, patterns, strict=True)
                    for robot in self._ids(plan)
                ]
            )
        )

    def falls(self, plans: Sequence[int]) -> float:
        """Share of the robots of these plans that fell."""
        return float(np.mean([self._fell[self._ids(plan)].mean() for plan in plans]))


def _goal(segment: Sequence[SubGoal]) -> tuple[BoolArray, float]:
    """Rows (4, length) and forward speed of a segment; standing where there is none."""
    for subgoal in segment:
        if subgoal.pattern is not None and subgoal.velocity is not None:
            return subgoal.pattern.contacts, subgoal.velocity.vx
    return np.ones((4, 26), dtype=np.bool_), 0.0
