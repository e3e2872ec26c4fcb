"""The loop of every batched task: act, judge, start anew, observe.

A task is plain functions over tensors and a dataclass that names them; what they read is a *world*,
the task's robots and goals on some engine. A world whose state is no longer finite starts anew
before anybody sees it, and leaves a file that says what it was.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import numpy as np
import torch

if TYPE_CHECKING:
    from fmrl_robot.protocols.reward import Sight

log = logging.getLogger(__name__)

LOG_EVERY = 8
"""Steps from one log to the next."""
MAX_DUMPS = 20
"""Files that one run leaves of worlds that broke."""


class World(Protocol):
    """Robots and goals of ``count`` worlds."""

    count: int
    device: torch.device
    num_actions: int
    control_dt_s: float
    rng: torch.Generator
    """The only source of chance."""
    age: torch.Tensor
    """Control steps since each world's start, shape (count,)."""
    broken: torch.Tensor
    """Worlds whose state is not finite or not believable, shape (count,)."""

    def act(self, actions: torch.Tensor) -> None:
        """Pass one control period with actions (count, num_actions), and see what it led to."""
        ...

    def restart(self, ids: torch.Tensor) -> None:
        """Begin a new episode in worlds ``ids`` (k,)."""
        ...

    def snapshot(self, world: int) -> dict[str, np.ndarray]:
        """What is needed to look at a world that broke."""
        ...


W = TypeVar("W", bound=World)


@dataclass(frozen=True, kw_only=True)
class Task(Generic[W]):
    """What is seen, rewarded and ended in worlds of one kind; every function gives (count, ...)."""

    observations: Mapping[str, Callable[[W], torch.Tensor]]
    """By group (``policy``, ``critic``), float32."""
    rewards: Mapping[str, Callable[[W], torch.Tensor]]
    weights: Mapping[str, float]
    """Of each reward, a control step."""
    terminations: Mapping[str, Callable[[W], torch.Tensor]]
    episode_steps: int
    fall: float = 0.0
    """Reward of the step in which a world terminates, beside the others; the least of any step."""
    reward_scale: float = 1.0
    events: Callable[[W], None] = lambda _: None
    """What happens at the end of a step, before observations: new goals, pushes."""
    success: Callable[[W], torch.Tensor] | None = None
    """Whether the task is done now, bool."""
    scatter: bool = True
    """Begin the first episodes at different ages, so that ends do not come all at once."""
    log: Mapping[str, Callable[[W], torch.Tensor]] = field(
        default_factory=dict[str, Callable[[W], torch.Tensor]]
    )
    """Scalars worth a curve; those that are NaN are left out."""


class BatchedEnv(Generic[W]):
    """A task on its worlds; implements VecEnv with tensors on the engine's device."""

    dump_dir: Path | None = None
    """Where worlds that broke leave their files; None: nowhere."""
    sights: tuple[Sight, ...] = ("state",)
    """What can be shown to rewards from outside: what the critic observes."""

    def __init__(self, world: W, task: Task[W]) -> None:
        self.world, self.task = world, task
        self.num_envs, self.num_actions = world.count, world.num_actions
        self.device, self.control_dt_s = world.device, world.control_dt_s
        self.max_episode_length = task.episode_steps
        self._steps = self._dumps = 0
        self._shown: tuple[Sight, ...] = ()

    def reset(self) -> dict[str, torch.Tensor]:
        """Start every world."""
        world = self.world
        world.restart(torch.arange(world.count, device=self.device))
        if self.task.scatter:
            world.age.random_(0, self.max_episode_length, generator=world.rng)
        return self.observe()

    def step(
        self, actions: torch.Tensor
    ) -> tuple[dict[str, torch.Tensor], torch.Tensor, torch.Tensor, dict[str, Any]]:
        """Act for one control period; worlds that ended start anew.

        Returns:
            observations by group, rewards (n,), dones (n,) and extras: ``time_outs`` (n,), which
            dones were only the end of time, ``success`` (n,) where the task has it, and now and
            then ``log``, scalar tensors by name.
        """
        world, task = self.world, self.task
        self._steps += 1
        world.act(torch.nan_to_num(actions))
        ends = {name: test(world) for name, test in task.terminations.items()}
        over = world.broken.clone()
        for end in ends.values():
            over |= end
        terms = {name: term(world) for name, term in task.rewards.items()}
        reward = sum((task.weights[name] * term for name, term in terms.items()), task.fall * over)
        reward = torch.where(world.broken, task.fall, reward)
        if task.fall:
            reward = reward.clamp_min(task.fall)
        time_out = (world.age >= self.max_episode_length) & ~over
        done = over | time_out
        extras: dict[str, Any] = {"time_outs": time_out}
        if task.success is not None:
            extras["success"] = task.success(world)
        if self._steps % LOG_EVERY == 0:
            extras["log"] = self._log(terms, ends)
        if bool(world.broken.any()):
            self._dump()
        if self._shown:
            extras["shown"] = self.look(range(world.count))
        ids = done.nonzero().squeeze(1)
        if len(ids):
            world.restart(ids)
        task.events(world)
        return self.observe(), (task.reward_scale * reward).float(), done, extras

    def show(self, sights: Sequence[Sight]) -> None:
        """Tell under ``shown`` of every step's extras what it led to."""
        self._shown = tuple(sights)

    def look(self, worlds: Sequence[int]) -> dict[Sight, Any]:
        """What ``worlds`` show now."""
        state = self.task.observations["critic"](self.world)[list(worlds)].cpu().numpy()
        return dict.fromkeys(self._shown, state)

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next step depends on, given the same settings."""
        tensors = {k: v.clone() for k, v in vars(self.world).items() if torch.is_tensor(v)}
        return {"steps": self._steps, "rng": self.world.rng.get_state(), "tensors": tensors}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where ``state_dict`` was called."""
        self._steps = state["steps"]
        self.world.rng.set_state(state["rng"])
        for name, values in state["tensors"].items():
            # In place: some are views of the engine's memory.
            getattr(self.world, name).copy_(values)

    def observe(self) -> dict[str, torch.Tensor]:
        """Observations by group, float32 and finite."""
        return {name: see(self.world) for name, see in self.task.observations.items()}

    def _log(
        self, terms: Mapping[str, torch.Tensor], ends: Mapping[str, torch.Tensor]
    ) -> dict[str, torch.Tensor]:
        world, task = self.world, self.task
        sound = ~world.broken
        count = sound.sum().clamp_min(1)
        values = {
            f"reward/{k}": task.weights[k] * torch.where(sound, v, 0.0).sum() / count
            for k, v in terms.items()
        }
        values |= {f"end/{k}": v.float().mean() for k, v in ends.items()}
        return values | {name: look(world) for name, look in task.log.items()}

    def _dump(self) -> None:
        """Leave a file for each world that broke."""
        broken = self.world.broken.nonzero().squeeze(1).tolist()
        log.warning("worlds=%s are not finite or not believable any more; started anew", broken)
        if self.dump_dir is None:
            return
        self.dump_dir.mkdir(parents=True, exist_ok=True)
        for world in broken[: MAX_DUMPS - self._dumps]:
            file = self.dump_dir / f"broken_step{self._steps}_world{world}.npz"
            np.savez(file, allow_pickle=False, **self.world.snapshot(world))
            self._dumps += 1
