"""The nouns of the project: what flows between planners, controllers, rewards and robots.

Everything here is a frozen value without behaviour worth the name, so that the library, the ROS
nodes and the tests share one vocabulary. Units are SI; quaternions are wxyz; arrays are float64
unless a field says otherwise.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Literal

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
FloatBatch = npt.NDArray[np.float32]
"""Of what models make, one row a thing."""
Image = npt.NDArray[np.uint8]
"""RGB, shape (height, width, 3)."""

_PREDICATE = re.compile(r"^(not )?([a-z_]+)\(([a-zA-Z0-9_, ]*)\)$")


class Leg(StrEnum):
    """A leg of a quadruped, by its name; never index legs by a bare number."""

    FL = "FL"
    FR = "FR"
    RL = "RL"
    RR = "RR"


SAYTAP_LEGS = (Leg.FL, Leg.FR, Leg.RL, Leg.RR)
"""Leg order of SayTap's prompt and of every array inside this project."""

UNITREE_LEGS = (Leg.FR, Leg.FL, Leg.RR, Leg.RL)
"""Leg order of Unitree's motors; only drivers and model adapters may use it."""


@dataclass(frozen=True, order=True)
class Predicate:
    """One fact about the world, for example ``in(red_cube, bowl)``."""

    name: str
    args: tuple[str, ...] = ()
    value: bool = True

    def __str__(self) -> str:
        return f"{'' if self.value else 'not '}{self.name}({', '.join(self.args)})"

    @classmethod
    def parse(cls, text: str) -> Predicate:
        """Read the form that ``str`` writes; raise ValueError on anything else."""
        match = _PREDICATE.match(text.strip())
        if match is None:
            raise ValueError(f"expected a predicate such as 'in(red_cube, bowl)', got {text!r}")
        negated, name, args = match.groups()
        names = tuple(a.strip() for a in args.split(",") if a.strip())
        return cls(name, names, value=not negated)


@dataclass(frozen=True, kw_only=True, slots=True)
class Pose:
    """A rigid pose of something in ``frame``."""

    position: FloatArray
    """Position in m, shape (3,)."""
    quaternion: FloatArray = field(default_factory=lambda: np.array([1.0, 0.0, 0.0, 0.0]))
    """Unit quaternion wxyz, shape (4,)."""
    frame: str = "world"


@dataclass(frozen=True, kw_only=True, slots=True)
class SceneObject:
    """A thing in the scene as perception (or ground truth) knows it."""

    name: str
    category: str
    """Kind of thing: cube, bowl, bin, drawer, button, marker."""
    color: str
    pose: Pose
    """Of the centre of its box; a drawer (without handle and cabinet) opens towards its -x."""
    size: FloatArray
    """Extent of its box in m, shape (3,)."""
    travel: float = 0.0
    """How far its moving part is from rest, m: a drawer pulled out, a button pressed down."""
    confidence: float = 1.0
    """0 to 1."""
    visible: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """What is known about the surroundings at one moment."""

    stamp_s: float
    objects: tuple[SceneObject, ...] = ()
    predicates: frozenset[Predicate] = frozenset()
    """The facts that hold; what is absent is false."""
    caption: str = ""
    source: Literal["camera", "ground_truth"] = "camera"

    def find(self, name: str) -> SceneObject | None:
        """Return the object of that name, or None."""
        return next((o for o in self.objects if o.name == name), None)

    def holds(self, fact: Predicate) -> bool:
        """Whether a fact holds, or does not where it is negated."""
        return (Predicate(fact.name, fact.args) in self.predicates) == fact.value


@dataclass(frozen=True, kw_only=True, slots=True)
class Velocity:
    """Desired planar velocity of a base, in its own frame."""

    vx: float = 0.0
    """Forward, m/s."""
    vy: float = 0.0
    """To the left, m/s."""
    wz: float = 0.0
    """Counter-clockwise, rad/s."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ContactPattern:
    """A cyclic template of which foot is on the ground when."""

    contacts: BoolArray
    """Shape (legs, length); True where the foot is on the ground."""
    legs: tuple[Leg, ...] = SAYTAP_LEGS
    """The leg of each row."""
    dt_s: float = 0.02
    """Duration of one column."""


class SubGoalKind(IntEnum):
    """How a sub-goal is stated; the numbers are those of fmrl_msgs/SubGoal."""

    SKILL = 0
    REGION = 1
    PREDICATE = 2
    TEXT = 3
    CONTACT_PATTERN = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class SubGoal:
    """One step of a plan: what a controller is asked to bring about.

    ``kind`` says which fields carry the request: REGION (PSL) a ``skill`` at the region of
    ``target`` until ``termination`` holds; CONTACT_PATTERN (SayTap) ``pattern`` and ``velocity``
    for ``duration_s``; SKILL a ``skill`` with ``target`` and ``params``; PREDICATE the facts in
    ``predicates``; TEXT only ``text``.
    """

    id: str
    kind: SubGoalKind
    text: str = ""
    """The step in words, as the reward model is asked about it."""
    skill: str = ""
    target: str = ""
    """Name of the object or region the step is about."""
    termination: Predicate | None = None
    pose: Pose | None = None
    velocity: Velocity | None = None
    pattern: ContactPattern | None = None
    predicates: tuple[Predicate, ...] = ()
    embedding: FloatArray | None = None
    params: tuple[tuple[str, str], ...] = ()
    duration_s: float = 0.0
    """How long to keep doing it; 0 means until ``termination``."""
    timeout_s: float = 30.0
    """After this long the step has failed."""


class PlanStatus(IntEnum):
    """Where a plan stands; the numbers are those of fmrl_msgs/Plan."""

    PROPOSED = 0
    VALID = 1
    REFUSED = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """Why a plan was refused."""

    code: int
    """An ErrorCode."""
    message: str
    step: int | None = None
    """Index of the failing sub-goal, None when the plan as a whole fails."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """An ordered (or, with ``edges``, partially ordered) set of sub-goals for one instruction."""

    instruction: str
    method: str
    task_id: str = ""
    subgoals: tuple[SubGoal, ...] = ()
    edges: tuple[tuple[int, int], ...] = ()
    """Pairs (before, after); empty for a plain sequence."""
    weights: tuple[float, ...] = ()
    """One a sub-goal: a set of alternatives, the groups that no edge connects, each as likely as
    its first step; one group is carried out. Empty: no alternatives."""
    goal: tuple[Predicate, ...] = ()
    """What has to hold at the end, as the planner understood it."""
    understood: str = ""
    """What the plan would bring about, read back in words by the plan check."""
    scores: tuple[float, ...] = ()
    status: PlanStatus = PlanStatus.PROPOSED
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """What one question to a model cost, and what is needed to ask it again."""

    role: str
    """What it was asked for: plan, reward, caption, score."""
    model: str
    prompt_sha256: str
    seed: int = 0
    """Of sampling; 0 where nothing was sampled."""
    calls: int = 1
    prompt_tokens: int = 0
    completion_tokens: int = 0
    latency_s: float = 0.0
    cost: float = 0.0
    """Money in US dollars."""
    cached: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Completion:
    """One text that a model wrote."""

    text: str
    usage: Usage
    """Of the whole question; samples of one question share it."""
    token_logprobs: tuple[float, ...] = ()
    """Natural log-probability of each token, the end mark included; empty unless asked for."""
    token_ids: tuple[int, ...] = ()
    """The tokens that were written, with those of the end mark or of the stop string; ``Exposes``
    takes them as a continuation, while ``encode(text)`` may cut the same text into other pieces.
    Empty where nobody knows them: of a server, of an oracle."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ContinuationScores:
    """How likely a model thinks each of several continuations of one prompt."""

    token_logprobs: tuple[tuple[float, ...], ...]
    """Natural log-probabilities of the tokens of each continuation, in the order asked."""
    words: tuple[int, ...]
    """Number of words of each continuation, for normalising by length."""
    usage: Usage

    @property
    def sums(self) -> FloatArray:
        """Log-probability of each continuation as a whole, shape (continuations,)."""
        return np.array([sum(tokens) for tokens in self.token_logprobs])

    @property
    def token_means(self) -> FloatArray:
        """``sums`` over the number of tokens; an empty continuation keeps 0."""
        return self.sums / np.array([max(len(tokens), 1) for tokens in self.token_logprobs])

    @property
    def word_means(self) -> FloatArray:
        """``sums`` over the number of words; an empty continuation keeps 0."""
        return self.sums / np.maximum(self.words, 1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """How a sub-goal or a task ended."""

    success: bool
    error_code: int = 0
    message: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class RobotState:
    """Proprioception at one moment, in the RobotSpec's joint order."""

    stamp_s: float
    q: FloatArray
    """Joint positions, rad or m, shape (n,)."""
    dq: FloatArray
    """Joint velocities, shape (n,)."""
    tau: FloatArray | None = None
    """Measured efforts, N m or N, shape (n,)."""
    quaternion: FloatArray | None = None
    """Orientation of the base from the IMU, wxyz, shape (4,)."""
    angular_velocity: FloatArray | None = None
    """Of the base, in its own frame, rad/s, shape (3,)."""
    contacts: BoolArray | None = None
    """Foot on the ground, SAYTAP_LEGS order, shape (4,)."""
    position: FloatArray | None = None
    """Of the base in the frame of odometry, m, shape (3,): estimated, never measured."""
    linear_velocity: FloatArray | None = None
    """Of the base in its own frame, m/s, shape (3,): estimated too."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JointCommand:
    """What a controller asks of the motors: ``tau = kp (q* - q) + kd (dq* - dq) + effort``."""

    seq: int
    stamp_s: float
    observation_stamp_s: float
    """Stamp of the observation this command answers."""
    lease: str
    names: tuple[str, ...]
    position: FloatArray
    velocity: FloatArray
    effort: FloatArray
    kp: FloatArray
    kd: FloatArray


class Success(IntEnum):
    """A verdict that may abstain; the numbers are those of fmrl_msgs/Reward."""

    UNKNOWN = 0
    NO = 1
    YES = 2


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class RewardOut:
    """One score of one camera frame against one sub-goal."""

    value: float
    success: Success = Success.UNKNOWN
    components: tuple[tuple[str, float], ...] = ()
    valid: bool = True
    confidence: float = 0.0
    """0 to 1."""
    embedding: npt.NDArray[np.float32] | None = None
    """What the model made of the frame, a unit vector (dim,), from which any goal can be scored
    again; None of a model that embeds nothing."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SkillView:
    """What is seen of a world of skills at one moment."""

    caption: str
    """Facts in words."""
    phrases: tuple[str, ...]
    """What may be chosen, in words; the same for all views of the same things."""
    admissible: BoolArray
    """Which of them the plan check would accept now, shape (phrases,)."""
    facts: tuple[Predicate, ...]
    """Sorted."""
    state: FloatBatch
    """Each fact of the world's vocabulary as 0 or 1, shape (facts,)."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SkillStep:
    """What a choice in each world of skills led to; a world that ended has begun anew."""

    instructions: tuple[str, ...]
    views: tuple[SkillView, ...]
    rewards: FloatBatch
    """Shape (worlds,)."""
    terminated: BoolArray
    truncated: BoolArray
    seconds: FloatBatch
    """How long each choice took; a learner discounts by ``gamma ** seconds``."""
    done: tuple[bool, ...]
    """Whether each choice did what it was to do."""
    last: dict[int, SkillView]
    """The last view of each world that ended."""
