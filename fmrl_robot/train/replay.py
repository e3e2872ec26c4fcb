"""What off-policy learners learn from: the last steps of many environments, each kept once.

Environments start anew in the step in which they end, so the observation after an end is never
seen. After a fall nothing is to come and none is needed. A window of steps that meets the end of
time stops one step before it and is bootstrapped from the last observation that was seen: nothing
is made up, and one step an episode is not learned from. So does one that meets the place where a
run went on in environments that could not tell their state and began anew, and one that meets a
reward of which nothing is known.

Rewards from outside are kept with their version and with what they are made of. When the reward
changes all that is kept is rewarded anew; until then nothing is drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from fmrl_robot.train.learner import Rollout, one_version

KEPT = ("policy", "critic", "action", "reward", "done", "time_out")
OUTSIDE = "outside/"
"""Before the names of what rewards from outside are made of."""
CHUNK = 8192
"""Steps that are rewarded anew at a time."""
Judge = Callable[[dict[str, Tensor]], tuple[Tensor, Tensor]]
"""Rewards (k,), and which are known, from what they are made of, (k, ...) each."""


class Replay:
    """A ring of steps, tensors (steps, environments, ...)."""

    def __init__(self, steps: int, *, window: int, gamma: float, mixed: bool = False) -> None:
        """Keep the last ``steps`` steps.

        Args:
            steps: of each environment, more than ``window``.
            window: rewards that are added up before the rest is estimated.
            gamma: discount of a step.
            mixed: draw rewards of several versions all the same.
        """
        self._mixed_is_fine = self._of_one_version = mixed
        self.steps, self.window, self.gamma = steps, window, gamma
        self._rows: dict[str, Tensor] = {}
        self._next = self.filled = 0
        self._last: Tensor | None = None
        """What the critic was to see next, (n, size)."""

    def add(self, rollout: Rollout) -> None:
        """Keep a rollout, in place of the oldest steps once the ring is full."""
        if self._last is not None:
            self._cut((rollout.critic[0] != self._last).any(-1))
        kept = {name: getattr(rollout, name) for name in KEPT}
        if rollout.duration is not None:
            kept["duration"] = rollout.duration
        if rollout.known is not None and rollout.version is not None:
            made_of = {f"{OUTSIDE}{name}": v for name, v in rollout.outside.items()}
            kept |= {"known": rollout.known, "version": rollout.version, **made_of}
        self._append(kept)
        self._last = rollout.last

    def _cut(self, away: Tensor) -> None:
        """End the last step of environments that did not go on from it."""
        done, time_out = (self._rows[name][self._next - 1] for name in ("done", "time_out"))
        time_out |= away & ~done
        done |= away

    def _append(self, new: dict[str, Tensor]) -> None:
        new = {name: values[-self.steps :] for name, values in new.items()}
        count = len(new["reward"])
        if not self._rows:
            self._rows = {k: v.new_zeros((self.steps, *v.shape[1:])) for k, v in new.items()}
        at = (self._next + torch.arange(count, device=new["reward"].device)) % self.steps
        for name, values in new.items():
            self._rows[name][at] = values
        self._of_one_version = self._mixed_is_fine
        self._next = (self._next + count) % self.steps
        self.filled = min(self.steps, self.filled + count)

    def _live(self) -> Tensor:
        """Places of what is kept, oldest first, (filled,)."""
        return (self._next - self.filled + torch.arange(self.filled)) % self.steps

    def relabel(self, judge: Judge, version: int) -> None:
        """Reward anew everything that is kept and of another version, wherever the ring begins."""
        if "version" not in self._rows:
            return
        rows, live = self._rows, self._live().to(self._rows["reward"].device)
        old = live[(rows["version"][live] != version).any(-1)]
        if not len(old):
            return
        made_of = {k.removeprefix(OUTSIDE): v for k, v in rows.items() if k.startswith(OUTSIDE)}
        made_of |= {name: rows[name] for name in ("done", "time_out")}
        envs = rows["reward"].shape[1]
        for places in old.split(max(1, CHUNK // envs)):
            reward, known = judge({k: v[places].flatten(0, 1) for k, v in made_of.items()})
            rows["reward"][places] = reward.view(-1, envs)
            rows["known"][places] = known.view(-1, envs)
            rows["version"][places] = version
        self._of_one_version = self._mixed_is_fine

    @property
    def transitions(self) -> int:
        """Windows that can be drawn, kept or cut."""
        starts = max(0, self.filled - self.window)
        return starts * self._rows["reward"].shape[1] if self._rows else 0

    def sample(self, batch: int, rng: torch.Generator) -> dict[str, Tensor]:
        """Draw windows, every start equally likely.

        Returns:
            ``policy``, ``critic``, ``action`` at the start; ``reward``, the discounted sum;
            ``next_policy``, ``next_critic`` and their ``discount``, 0 where the task ended, both
            by the time that actions took where the rollouts tell it;
            ``weight``, 0 where the end of time, or a reward of which nothing is known, left no
            step; all (batch, ...).

        Raises:
            ConfigError: what is kept was rewarded by several versions of a reward.
        """
        rows, device = self._rows, self._rows["reward"].device
        if "version" in rows and not self._of_one_version:
            one_version(rows["version"][self._live().to(device)])
            self._of_one_version = True
        envs = rows["reward"].shape[1]
        drawn = torch.randint(self.transitions, (batch,), generator=rng, device=device)
        oldest = self._next - self.filled
        step, env = torch.div(drawn, envs, rounding_mode="floor") + oldest, drawn % envs

        def see(name: str, ahead: Tensor | int) -> Tensor:
            return rows[name].flatten(0, 1)[(step + ahead) % self.steps * envs + env]

        goes_on = torch.ones(batch, dtype=torch.bool, device=device)
        fell, ahead = torch.zeros_like(goes_on), torch.full_like(step, self.window)
        total = torch.zeros(batch, device=device)
        passed = torch.zeros(batch, device=device)
        lasting = "duration" in rows
        for k in range(self.window):
            stop = see("time_out", k)
            if "known" in rows:
                stop = stop | ~see("known", k)
            stop = goes_on & stop
            ahead[stop] = k
            goes_on &= ~stop
            discount = self.gamma**passed if lasting else self.gamma**k
            total += discount * see("reward", k) * goes_on
            if lasting:
                passed += see("duration", k) * goes_on
            fell |= goes_on & see("done", k)
            goes_on &= ~fell
        time = passed if lasting else ahead.float()
        return {
            **{name: see(name, 0) for name in ("policy", "critic", "action")},
            **{f"next_{name}": see(name, ahead) for name in ("policy", "critic")},
            "reward": total,
            "discount": self.gamma**time * ~fell,
            "weight": (ahead > 0).float(),
        }

    def state_dict(self) -> dict[str, Any]:
        """What is kept, oldest first; empty before the first rollout."""
        if not self._rows:
            return {}
        order = self._live()
        rows = {name: values[order.to(values.device)] for name, values in self._rows.items()}
        return {"rows": rows, "last": self._last}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where ``state_dict`` was called."""
        self._rows, self._next, self.filled = {}, 0, 0
        if state:
            self._append(state["rows"])
            self._last = state["last"]
