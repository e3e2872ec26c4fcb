"""What VLM-RM is held to: its experiment as a value, beside the system (vlm_rm.py)."""

from __future__ import annotations

from fmrl_robot.ablation import Ablation, Arm, Bar, Measure
from fmrl_robot.card import MethodCard

METHOD = MethodCard(
    name="vlm_rm",
    reference=(
        "Rocamonde et al., Vision-Language Models are Zero-Shot Reward Models for Reinforcement "
        "Learning, ICLR 2024"
    ),
    role="reward",
    robots=("arm", "quadruped"),
    protocols=("EmbeddingReward", "StepReward"),
    needs=("Sees",),
    differs=(
        "A verdict of three values stands beside the score of a running robot.",
        "A frame may have several views, whose scores are averaged.",
        "In training the first rewards set a scale, and only then are clipped; the paper's is raw.",
        "A goal that a model of limited vocabulary was never taught is refused.",
    ),
    ablation="one camera against two, alpha, frames of other looks, another sentence",
)

_PICTURE = {"by": "vlm_rm"}
_TWO = _PICTURE | {"both": True}

ABLATION = Ablation(
    question="Can a policy learn from nothing but how well a picture fits a sentence, and how much "
    "do the projection (alpha), a second camera and the look of the frames matter?",
    paper="Humans judge 100 % of kneeling, lotus, standing, raised arms and splits right and 64 % "
    "of hands on hips, 0 % of standing on one leg and of crossed arms. CartPole and a textured "
    "MountainCar are solved for most alpha, a plain one is not. EPIC falls log-linearly with the "
    "model's size; alpha above 0 helps small models most.",
    environment="Two small worlds in MuJoCo: Panda's tool over a red cube, and Go2 sitting down; "
    "soft actor-critic on numbers; the embedded CLIP (5.0 million numbers); success by geometry at "
    "the end of fresh episodes; EPIC on frames with textures kept from training and on the worlds' "
    "own plain look",
    trial="fmrl_robot.reproduce.trials.vlm_rm:trial",
    arms=(
        Arm(name="pictures", words="alpha 0; of the arm two cameras, the room's and the hand's",
            settings=_TWO),
        Arm(name="one camera", words="the room's alone", settings=_PICTURE | {"both": False}),
        Arm(name="alpha .5", words="half of the projection", settings=_TWO | {"alpha": 0.5}),
        Arm(name="alpha 1", words="all of the projection", settings=_TWO | {"alpha": 1.0}),
        Arm(name="other sentence", words="a sentence of another goal",
            settings=_TWO | {"other": True}, control=True),
        Arm(name="truth", words="ground truth rewards", settings={"by": "truth"}),
    ),
    measures=(
        Measure(name="success", words="success"),
        Measure(name="sitting", words="of sitting"),
        Measure(name="above", words="of the gripper above the cube"),
        Measure(name="epic", words="EPIC distance, 0 to 1 (chance .71)"),
    ),
    bars=(
        Bar(words="Success of sitting, pictures minus another sentence", measure="sitting",
            arm="pictures", against="other sentence", at_least=0.5),
        Bar(words="success of sitting, pictures", measure="sitting", arm="pictures", at_least=0.8),
        Bar(words="success above the cube, two cameras minus one", measure="above",
            arm="pictures", against="one camera", at_least=0.2),
        Bar(words="success above the cube, two cameras", measure="above", arm="pictures",
            at_least=0.5),
        Bar(words="success by another sentence", measure="success", arm="other sentence",
            at_most=0.2),
        Bar(words="EPIC, another sentence minus the right one", measure="epic",
            arm="other sentence", against="pictures", at_least=0.15),
        Bar(words="EPIC, alpha .5 minus alpha 0", measure="epic", arm="alpha .5",
            against="pictures", at_most=0.02),
        Bar(words="success of sitting, alpha 0 minus alpha .5", measure="sitting", arm="pictures",
            against="alpha .5", at_most=0.2),
    ),
    full={"episodes": 160, "envs": 8, "judged": 48, "frames": 200},
    quick={"episodes": 1, "envs": 1, "judged": 1, "frames": 2},
    seeds=3,
    differs=(
        "Tasks of 12 and 16 steps with a model of 5.0 million numbers that was taught their "
        "sentences; the paper's model has 2.5 billion and was taught nothing of humanoids.",
        "Model sizes and the floor of shuffled captions are measured by bench/clip_sizes.py on the "
        "same frames (docs/models.md): its models are trained for an hour each and not shipped.",
        "EPIC weighs frames in which the goal holds like those in which it does not.",
        "Rewards are scaled by the spread of the first two iterations and clipped at 5.",
    ),
    curve=("environment steps", "success"),
)  # fmt: skip
