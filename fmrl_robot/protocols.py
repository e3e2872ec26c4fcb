"""The seams of the project on one page: what a part must offer to be plugged in.

All are structural: a class offers the methods, it inherits nothing. Implementations are found by
name through :mod:`fmrl_robot.registry`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import torch

    from fmrl_robot.fm.exposed import Choices, Exposed
    from fmrl_robot.planning import Context, Proposal, Step
    from fmrl_robot.types import (
        Completion,
        ContinuationScores,
        FloatArray,
        FloatBatch,
        Image,
        JointCommand,
        Outcome,
        Pose,
        RewardOut,
        RobotState,
        Scene,
        SkillStep,
        SubGoal,
        Usage,
        Velocity,
    )


# --- planning -------------------------------------------------------------------------------------


@runtime_checkable
class Planner(Protocol):
    """Turns an instruction into plans, a whole one or a step at a time.

    When it is asked is a Trigger's business, and what it is told is in the Context: of the task, it
    need remember only what it learns.
    """

    def reset(self, instruction: str, robot: str) -> None:
        """Begin a new task."""
        ...

    def propose(self, context: Context) -> Proposal:
        """Say what is next: a Plan, a Question to a person, Done or GiveUp.

        ``context.news`` holds why the last proposal was refused, or how what came of it failed.

        Raises:
            Retryable: the model's answer was malformed.
            Terminal: the instruction is refused, or the model cannot be reached.
        """
        ...

    def observe(self, step: Step) -> None:
        """Hear how a step ended, also where nobody asks what is next."""
        ...

    def usage(self) -> Sequence[Usage]:
        """What was asked of models since the last call."""
        ...


class Trigger(Protocol):
    """Decides after every step whether the planner is asked again."""

    @property
    def goes_on(self) -> bool:
        """Whether it asks when a plan has run out, too: plans are parts, and only Done ends."""
        ...

    def __call__(self, context: Context) -> bool:
        """Whether to ask now."""
        ...


@runtime_checkable
class KnowsWhenToAsk(Protocol):
    """A planner with a trigger of its own, such as one that was learned."""

    def asks(self, context: Context) -> bool:
        """Whether it wants to be asked now."""
        ...


# --- acting ---------------------------------------------------------------------------------------


class Controller(Protocol):
    """Carries out sub-goals of the kinds it accepts, one at a time.

    It is called from the loop that keeps the robot alive, so every method returns within a fraction
    of ``RobotSpec.command_dt_s``: what takes longer (a motion plan) runs in a thread of its own
    while ``step`` holds. ``seq``, ``stamp_s`` and ``lease`` of a command are filled in by the
    caller.
    """

    @property
    def max_delay_s(self) -> float:
        """From an observation to the command that answers it, the most that is borne; 0: any."""
        ...

    def accepts(self, subgoal: SubGoal) -> bool:
        """Whether this controller can carry it out."""
        ...

    def start(self, subgoal: SubGoal, state: RobotState, scene: Scene | None) -> None:
        """Begin; raises FmrlError with a 3xx code when it cannot."""
        ...

    def step(self, state: RobotState, scene: Scene | None) -> JointCommand:
        """One control tick; always returns a safe command, also before the first ``start``."""
        ...

    def outcome(self) -> Outcome | None:
        """None while running."""
        ...

    def progress(self) -> float:
        """From 0 to 1."""
        ...

    def hold(self) -> None:
        """Give up the sub-goal and hold (arm) or stand (quadruped) from the next step on."""
        ...

    def passive(self, state: RobotState) -> JointCommand:
        """One tick while the robot follows nobody: it is stopped, or not armed yet.

        Commands the pose that was just measured, gives up whatever was under way, and lets the next
        ``step`` begin from there. Where a robot was when it was last followed says nothing of where
        it is now.
        """
        ...


@runtime_checkable
class Drivable(Protocol):
    """A controller that a person can drive."""

    def drive(self, velocity: Velocity) -> None:
        """Move at this velocity from the next step on, until the next call, start or hold."""
        ...


class MotionPlanner(Protocol):
    """Finds a collision-free path in joint space."""

    def plan(
        self, q_start: FloatArray, goal: Pose, scene: Scene, held: str | None = None
    ) -> FloatArray:
        """Return waypoints, shape (steps, joints). Raises FmrlError(NO_PATH)."""
        ...


class Body(Protocol):
    """A simulated or physical robot below the gate."""

    def read(self) -> RobotState:
        """Measure."""
        ...

    def send(self, command: JointCommand) -> None:
        """Apply a command that the gate let through."""
        ...

    def stop(self) -> None:
        """Apply the robot's stop kind."""
        ...


# --- watching -------------------------------------------------------------------------------------


class RewardModel(Protocol):
    """Scores camera frames against a sub-goal."""

    def reset(self, subgoal: SubGoal) -> None:
        """Begin scoring against another sub-goal."""
        ...

    def score(self, images: Sequence[Image], scene: Scene | None = None) -> list[RewardOut]:
        """One score an image; RGB uint8, shape (height, width, 3)."""
        ...


class EmbeddingReward(RewardModel, Protocol):
    """A RewardModel that looks once at a frame, and then scores what it saw against any goal.

    Camera, recording and replay buffer go through the same two steps; ``score`` is one after the
    other.
    """

    def embed(self, images: Sequence[Image]) -> FloatBatch:
        """RGB uint8 (height, width, 3) each; shape (images, dim)."""
        ...

    def score_embedded(self, vectors: FloatBatch) -> list[RewardOut]:
        """Frames in order of time, shape (frames, dim)."""
        ...


# --- asking models, split by capability -----------------------------------------------------------


class Generates(Protocol):
    """Text in, text out."""

    model_id: str

    def generate(
        self,
        prompt: str,
        *,
        n: int = 1,
        grammar: str | None = None,
        schema: Mapping[str, Any] | None = None,
        stop: Sequence[str] = (),
        max_tokens: int = 256,
        temperature: float = 0.0,
        top_p: float = 1.0,
        seed: int = 0,
        logprobs: bool = False,
        images: Sequence[Image] = (),
        role: str = "plan",
    ) -> tuple[Completion, ...]:
        """Complete ``prompt`` ``n`` times.

        Args:
            prompt: as plain text; a chat model is asked it as a user.
            n: how many samples.
            grammar: GBNF that the answer never leaves.
            schema: JSON schema that the answer fits; not together with ``grammar``.
            stop: the answer ends before the first of these strings.
            max_tokens: of each answer.
            temperature: 0 takes the likeliest token.
            top_p: share of probability that is sampled from.
            seed: of sampling.
            logprobs: whether to fill ``Completion.token_logprobs``, by the model's own
                distribution before temperature, grammar and top_p.
            images: RGB uint8 (height, width, 3) that the prompt is about; only for a model with
                ``Images``.
            role: what it is asked for, for the bill.

        Raises:
            Retryable: the answer was cut off or left what it was held to; asking again may help.
            Terminal: the model cannot be reached, or the question is too long for it.
            ConfigError: the model cannot do what was asked for.
        """
        ...


class Scores(Protocol):
    """Log-probabilities of given continuations.

    Pictures are part of a prompt, as in Generates; a model without ``Images`` refuses them.
    """

    model_id: str

    def score(
        self,
        prompts: Sequence[str],
        continuations: Sequence[Sequence[str]],
        *,
        images: Sequence[Sequence[Image]] = (),
        role: str = "score",
    ) -> list[ContinuationScores]:
        """Score the continuations of each prompt; neither batch nor padding changes a figure.

        Args:
            prompts: (prompts,)
            continuations: for each prompt its own.
            images: for each prompt its own, RGB uint8 (height, width, 3); empty for none at all.
            role: what it is asked for, for the bill.

        Raises:
            Terminal: a prompt with a continuation is longer than the model reads.
            ConfigError: CAPABILITY_MISSING, there are images and the model has no ``Images``.
        """
        ...


class Embeds(Protocol):
    """Unit vectors for texts."""

    model_id: str

    def embed_texts(self, texts: Sequence[str]) -> FloatBatch:
        """Shape (texts, dim)."""
        ...


class Sees(Embeds, Protocol):
    """Unit vectors for texts, images and clips in one space."""

    def embed_images(self, images: Sequence[Image]) -> FloatBatch:
        """RGB uint8 (height, width, 3) each; shape (images, dim)."""
        ...

    def embed_clips(self, clips: Sequence[Sequence[Image]]) -> FloatBatch:
        """Frames in order of time, each RGB uint8 (height, width, 3); shape (clips, dim)."""
        ...


class Exposes(Protocol):
    """Logits and hidden states, with gradients; shapes as torch's batch first.

    Pictures reach ``forward`` only within a prompt of ``read``: token ids alone hold the places of
    pictures and not the pictures. ``forward_embeddings`` takes none; what a caller's own tower
    makes of one goes in as embeddings, like anything else that is no word.
    """

    model_id: str

    def read(self, prompt: str, images: Sequence[Image] = ()) -> Any:
        """Read a prompt as ``Generates`` does, pictures included, for ``forward``.

        Args:
            prompt: as plain text.
            images: RGB uint8 (height, width, 3) that it is about.

        Raises:
            ConfigError: CAPABILITY_MISSING, there are images and the model has no ``Images``.
        """
        ...

    def encode(self, text: str) -> list[int]:
        """Token ids of a text, without special tokens."""
        ...

    def forward(self, rows: Sequence[tuple[Any, Sequence[int]]]) -> Exposed:
        """Run (prompt, continuation ids) through the model, gradients included.

        Args:
            rows: the prompt as ``read`` returned it, or as token ids of a text.

        Raises:
            ConfigError: token ids have a place for a picture, and there is none.
        """
        ...

    def forward_choices(self, questions: Sequence[tuple[Any, Sequence[Sequence[int]]]]) -> Choices:
        """Run prompts with several continuations each, gradients included.

        The figures are those of ``forward`` over every pair; a back end may compute once what
        continuations share.

        Args:
            questions: the prompt, as for ``forward``, and the ids of each of its continuations.
        """
        ...

    def embed_tokens(self, ids: torch.Tensor) -> torch.Tensor:
        """Input embeddings of token ids (rows, tokens), shape (rows, tokens, dim)."""
        ...

    def forward_embeddings(self, embeddings: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Last hidden states for inputs that need not be words, shape (rows, tokens, dim).

        Args:
            embeddings: (rows, tokens, dim).
            mask: bool (rows, tokens), False where padded.
        """
        ...


class Tunes(Exposes, Protocol):
    """Learns: LoRA adapters or all weights, with the untouched model at hand."""

    def add_adapter(self, name: str, settings: Any = None) -> None:
        """Add a LoRA adapter (fm.tuning.LoraSettings) that starts without effect."""
        ...

    def adapter(self, name: str | None) -> AbstractContextManager[None]:
        """Answer with this adapter inside of the block; None: with the untouched model."""
        ...

    def trainable(self, mode: Literal["lora", "full"]) -> list[torch.nn.Parameter]:
        """Return what an optimiser may change, and let gradients flow to nothing else."""
        ...


# --- training -------------------------------------------------------------------------------------


class VecEnv(Protocol):
    """Many copies of one task stepped together; tensors in, tensors out, reset by itself.

    A task may offer more, which learners look for by name: ``discrete = True`` where an action is
    the number of a choice (int64, ``num_actions`` of them), and then a group ``admissible`` (bool)
    among its observations; ``duration`` among the extras, the steps of control that each action
    took (its reward is discounted among them already); further groups of observations for losses;
    ``mirror``, ``picture``, ``texts``.
    """

    num_envs: int
    num_actions: int
    control_dt_s: float
    max_episode_length: int

    def reset(self) -> dict[str, torch.Tensor]:
        """Reset every environment; return observations by group (``policy``, ``critic``)."""
        ...

    def step(
        self, actions: torch.Tensor
    ) -> tuple[dict[str, torch.Tensor], torch.Tensor, torch.Tensor, dict[str, Any]]:
        """Return observations by group (``policy``, ``critic``), rewards, dones and extras."""
        ...


EnvFactory = Callable[..., VecEnv]


class SkillEnv(Protocol):
    """Many worlds in which a choice is a skill that takes its time: a semi-MDP with text."""

    num_envs: int

    def reset(self, seed: int) -> SkillStep:
        """Begin every world anew; the same seed gives the same tasks on every back end."""
        ...

    def step(self, choices: Sequence[int | SubGoal]) -> SkillStep:
        """Do in each world the phrase of that number, or a skill with its parameters."""
        ...

    def picture(self, world: int) -> Image:
        """Look at one world; raises ConfigError(CAPABILITY_MISSING) where nothing can be seen."""
        ...
