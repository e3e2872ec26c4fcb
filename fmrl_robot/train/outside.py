"""Rewards from outside: named in a recipe, asked in batches, kept so that they can be given anew.

A task shows what its steps led to; rewards by name make vectors of it, once, and score the vectors.
What a learner is told is the task's own reward and those of the terms, put together, scaled and
clipped. All of that is one function of what the replay keeps, row by row, so that a reward that has
changed can be given anew wherever a row lies, and gives the very same bits if it has not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import numpy as np
import torch
from torch import Tensor

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.protocols.reward import Sight, StepReward
from fmrl_robot.registry import REWARDS
from fmrl_robot.settings import Amount, Count, Whole
from fmrl_robot.train.outside_scale import OutsideScale
from fmrl_robot.train.outside_sights import Seen, Sights
from fmrl_robot.train.team import Team


@dataclass(frozen=True, kw_only=True, slots=True)
class Term:
    """One reward from outside."""

    reward: str
    """Name in the registry of rewards."""
    settings: dict[str, Any] = field(default_factory=dict[str, Any])
    """Passed to its ``in_training``."""
    role: Literal["sum", "gate", "potential"] = "sum"
    """Added up; or lets the sum pass where it is above ``threshold``; or added as gamma times what
    it is after a step less what it was before, which moves no best policy (Ng et al., 1999)."""
    weight: float = 1.0
    threshold: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class OutsideConfig:
    """What a task's reward becomes."""

    terms: dict[str, Term] = field(default_factory=dict[str, Term])
    """By any name; none: the task's own reward alone, and nothing else here counts."""
    own: float = 0.0
    """Weight of the task's own reward."""
    scale_steps: Whole = 0
    """The mean of the first so many rewards is taken off and their spread divided by, each time
    that a reward has changed; 0: they stay as they are."""
    clip: Amount = 0.0
    """Rewards are kept within plus and minus this; 0: they are not."""
    learn_every: Whole = 0
    """Iterations after which rewards that learn do so; 0: never."""
    learn_from: Count = 10_000
    """The last steps, over all environments, that they learn from."""
    relabel: bool = True
    """Give all that a replay keeps anew when a reward has changed. False mixes versions, to show
    what that costs."""


class Outside:
    """The rewards of one run."""

    def __init__(
        self, config: OutsideConfig, env: Any, gamma: float, team: Team | None = None
    ) -> None:
        """Load the rewards and let the task show what they need.

        Raises:
            ConfigError: a name is unknown, a reward cannot be used in training, the task does not
                show what it needs, or several workers would each learn another reward.
        """
        self.config, self._gamma = config, gamma
        self._terms = {name: _load(name, term) for name, term in config.terms.items()}
        team = team or Team()
        learning = [name for name, reward in self._terms.items() if hasattr(reward, "learn")]
        if learning and team.size > 1:
            raise ConfigError(
                f"expected workers=1 with rewards that learn ({', '.join(learning)}), got "
                f"{team.size}; each would learn another reward"
            )
        self._sights = Sights(env, {name: r.sees for name, r in self._terms.items()})
        self._scale = OutsideScale(config.scale_steps, config.clip, team)
        self._of: list[str] = []
        """Every version that there was; its place is its number."""
        self._number = -1
        self._memory: dict[str, list[tuple[Tensor, Tensor]]] = {name: [] for name in learning}
        self._now: dict[str, Tensor] = {}
        """What worlds showed last, of terms that need it, by name, (n, dim)."""
        self._curves: dict[str, float] = {}

    def begin(self) -> None:
        """The environments have just begun."""
        self._sights.clear()
        for name in self._looking_back():
            self._now[name] = self._embed(name, self._sights.look())

    def see(self, extras: dict[str, Any], done: Tensor) -> None:
        """Remember what a step led to."""
        self._sights.see(extras, done, look=bool(self._looking_back()))

    def judge(self, rows: dict[str, Tensor]) -> dict[str, Any]:
        """Reward the steps seen since the last call; (steps, n) each.

        Args:
            rows: ``reward`` (the task's own), ``done`` and ``time_out`` among them.

        Returns:
            ``reward``, ``known``, ``version`` and ``outside``, as a Rollout has them.
        """
        shape, device, seen = rows["reward"].shape, rows["reward"].device, self._sights.take()
        made_of = {"own": rows["reward"]}
        for name in self._terms:
            after = self._embed(name, seen.steps).view(*shape, -1)
            made_of[name] = after.to(device)
            if name in self._memory:
                self._remember(name, after, rows["done"])
            if name in self._looking_back():
                before = self._before(name, after, rows["done"].cpu(), seen)
                made_of[f"{name}/before"] = before.to(device)
        flat = {name: values.flatten(0, 1) for name, values in made_of.items()}
        flat |= {name: rows[name].flatten() for name in ("done", "time_out")}
        value, known = self._value(flat)
        self._scale.learn(value[known], self._version())
        reward, known = self.again(flat)
        self._curves |= {
            "outside/value": float(value[known].mean()) if bool(known.any()) else 0.0,
            "outside/unknown": 1.0 - float(known.float().mean()),
        }
        return {
            "reward": reward.view(shape),
            "known": known.view(shape),
            "version": torch.full(shape, self.number, device=device),
            "outside": made_of,
        }

    def again(self, rows: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Reward steps by what they are made of, (k, ...) each: rewards, and which are known."""
        value, known = self._value(rows)
        return torch.where(known, self._scale(value), 0.0).float(), known

    @property
    def number(self) -> int:
        """Of the rewards as they are now: models, what they have learned, and scale."""
        now = f"{self._version()} {self._scale.version}"
        if not self._of or self._of[-1] != now:
            self._of.append(now)
        return len(self._of) - 1

    def learn(self, iteration: int) -> None:
        """Let the rewards that learn do so, when it is time."""
        every = self.config.learn_every
        if not every or iteration % every:
            return
        for name, memory in self._memory.items():
            reward: Any = self._terms[name]
            seen, done = (torch.cat([part[i] for part in memory]).numpy() for i in (0, 1))
            told = reward.learn(seen, done)
            self._curves |= {f"outside/{name}/{key}": v for key, v in told.items()}

    def reward(self, term: str) -> Any:
        """The reward of a term, as it is now."""
        return self._terms[term]

    def drain_curves(self) -> dict[str, float]:
        """What was told since the last call."""
        curves, self._curves = self._curves, {}
        return curves

    def _value(self, rows: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Terms put together, before scale: values and which are known, (k,)."""
        total = self.config.own * rows["own"].double()
        shaping, gate = torch.zeros_like(total), torch.ones_like(total)
        known = torch.ones_like(total, dtype=torch.bool)
        for name, term in self.config.terms.items():
            value, sure = self._score(name, rows[name], rows.get(f"{name}/before"))
            if term.role == "potential":
                before, sure_before = self._score(name, rows[f"{name}/before"], None)
                ended = rows["done"] & ~rows["time_out"]
                shaping += term.weight * (self._gamma * value * ~ended - before)
                sure = sure & sure_before
            elif term.role == "gate":
                gate *= (value > term.threshold).double()
            elif self._terms[name].of == "episode":
                total += term.weight * torch.where(rows["done"], value, 0.0)
                sure = sure | ~rows["done"]
            else:
                total += term.weight * value
            known &= sure
        return gate * total + shaping, known

    def _score(self, name: str, seen: Tensor, before: Tensor | None) -> tuple[Tensor, Tensor]:
        pair = self._terms[name].of == "pair" and before is not None
        value, sure = self._terms[name].score_steps(
            seen.cpu().numpy(), cast(Tensor, before).cpu().numpy() if pair else None
        )
        return (
            torch.from_numpy(np.asarray(value, np.float64)).to(seen.device),
            torch.from_numpy(np.asarray(sure, np.bool_)).to(seen.device),
        )

    def _embed(self, name: str, shown: dict[Sight, Any]) -> Tensor:
        reward = self._terms[name]
        return torch.from_numpy(reward.embed({sight: shown[sight] for sight in reward.sees}))

    def _looking_back(self) -> list[str]:
        terms = self.config.terms
        return [n for n, r in self._terms.items()
                if r.of == "pair" or terms[n].role == "potential"]  # fmt: skip

    def _before(self, name: str, after: Tensor, done: Tensor, seen: Seen) -> Tensor:
        """What was seen before each step: after the last one, or where an episode began."""
        following = after.clone()
        if seen.begun:
            started = self._embed(name, seen.begun)
            following[done] = started
        before = torch.cat([self._now[name][None], following[:-1]])
        self._now[name] = following[-1]
        return before

    def _remember(self, name: str, seen: Tensor, done: Tensor) -> None:
        memory = self._memory[name]
        memory.append((seen, done.cpu()))
        while sum(d.numel() for _, d in memory[1:]) >= self.config.learn_from:
            memory.pop(0)

    def _version(self) -> str:
        return "; ".join(f"{name}: {reward.version}" for name, reward in self._terms.items())

    def state_dict(self) -> dict[str, Any]:
        """What the next reward depends on."""
        learned = {n: cast(Any, self._terms[n]).state_dict() for n in self._memory}
        memory = {n: [list(pair) for pair in kept] for n, kept in self._memory.items()}
        return {"scale": self._scale.state_dict(), "versions": self._of, "now": self._now,
                "learned": learned, "memory": memory}  # fmt: skip

    def load_state_dict(self, state: dict[str, Any], *, goes_on: bool) -> None:
        """Go on where ``state_dict`` was called; ``goes_on``: so do the environments."""
        self._scale.load_state_dict(state["scale"])
        self._of = list(state["versions"])
        if goes_on:
            self._now = dict(state["now"])
        for name, kept in state["learned"].items():
            cast(Any, self._terms[name]).load_state_dict(kept)
            self._memory[name] = [(seen, done) for seen, done in state["memory"][name]]


def outside_of(
    config: OutsideConfig, env: Any, gamma: float, team: Team | None = None
) -> Outside | None:
    """The rewards that a recipe names; None where it names none."""
    return Outside(config, env, gamma, team) if config.terms else None


def _load(name: str, term: Term) -> StepReward:
    build = getattr(REWARDS.load(term.reward), "in_training", None)
    if build is None:
        raise ConfigError(
            f"expected a reward with in_training for outside.terms.{name}, got {term.reward!r}, "
            f"which has none; name one of {', '.join(_that_teach())}",
            ErrorCode.CAPABILITY_MISSING,
        )
    return build(**term.settings)


def _that_teach() -> Sequence[str]:
    return [name for name in REWARDS.names() if hasattr(REWARDS.load(name), "in_training")]
