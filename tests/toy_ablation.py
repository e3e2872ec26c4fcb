"""An experiment of no time: arms whose scores are known, and one that dies or takes its time."""

import time

from fmrl_robot.ablation import Ablation, Arm, Bar, Curve, Measure, Measured
from fmrl_robot.train.cards import write_whole

HERE = "toy_ablation:trial"


def trial(settings, seed, budget):
    """Count to ``steps``, keeping the count; scores of two tasks around ``level``."""
    if settings.get("dies"):
        raise RuntimeError("died on purpose")
    kept = budget.folder / "steps.txt"
    begun = int(kept.read_text()) if kept.is_file() else 0
    for step in range(begun, budget.amounts["steps"]):
        time.sleep(budget.amounts.get("step_s", 0.0))
        write_whole(kept, str(step + 1))
        with (budget.folder / "walked.txt").open("a") as walked:
            walked.write(f"{step}\n")
    level = settings["level"] + 0.01 * (seed % 100)
    return Measured(
        scores={"share": level, "match": {"easy": level + 0.1, "hard": level - 0.1}},
        curves={"share by step": Curve(x=(0.0, 1.0, 2.0), y=(0.0, level / 2, level))},
        model="scripted",
    )


def toy(bars=(), arms=(), full=None):
    """The experiment; what is left out stands for itself."""
    return Ablation(
        question="Does the whole do better than the half?",
        paper="The whole reaches .9 and the half .5 (table 1).",
        environment="none",
        trial=HERE,
        arms=arms or (
            Arm(name="whole", words="all of it", settings={"level": 0.9}),
            Arm(name="half", words="half of it", settings={"level": 0.5}),
            Arm(name="none", words="nothing", settings={"level": 0.0}, control=True),
        ),
        measures=(
            Measure(name="share", words="share done"),
            Measure(name="match", words="match by task"),
        ),
        bars=bars or (
            Bar(words="whole minus half", measure="share", arm="whole", against="half",
                at_least=0.3),
            Bar(words="nothing does nothing", measure="share", arm="none", at_most=0.1),
            Bar(words="half is nearly whole", measure="match", arm="half", at_least=0.8),
        ),
        full=full or {"steps": 3},
        quick={"steps": 1},
        seeds=3,
        differs=("It is a toy.",),
        curve=("steps", "share"),
    )  # fmt: skip


class Toy:
    """What a registry would hold."""

    ablation = toy()
