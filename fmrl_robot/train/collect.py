"""Rollouts of the present policy in one environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from fmrl_robot.train.learner import Policy, Rollout

if TYPE_CHECKING:
    from fmrl_robot.protocols import VecEnv
    from fmrl_robot.train.outside import Outside


class Collector:
    """Acts, and keeps what was seen; begins where the last rollout ended."""

    def __init__(
        self,
        env: VecEnv,
        networks: Policy,
        *,
        steps: int,
        seed: int,
        outside: Outside | None = None,
    ) -> None:
        """Reset the environment.

        Args:
            env: what is acted in.
            networks: whose policy acts.
            steps: of each rollout.
            seed: of the actions.
            outside: rewards that stand in the place of the task's own.
        """
        self.env, self.steps, self._networks, self._outside = env, steps, networks, outside
        self._obs = env.reset()
        if outside is not None:
            outside.begin()
        device = self._obs["policy"].device
        self.rng = torch.Generator(device).manual_seed(seed)
        self._length = torch.zeros(env.num_envs, device=device)
        self._return = torch.zeros(env.num_envs, device=device)
        self._curves: dict[str, list[float]] = {}

    @torch.no_grad()
    def collect(self) -> Rollout:
        """Act for ``steps`` steps."""
        rows: dict[str, list[Tensor]] = {}
        for _ in range(self.steps):
            obs = self._obs
            action, output = self._networks.explore(obs["policy"], self.rng, obs.get("admissible"))
            self._obs, reward, done, extras = self.env.step(action)
            self._tell(reward, done, extras)
            if self._outside is not None:
                self._outside.see(extras, done)
            seen = {
                **obs,
                "output": output,
                "action": action,
                "reward": reward,
                "done": done,
                "time_out": extras["time_outs"],
            }
            if "duration" in extras:
                seen["duration"] = extras["duration"]
            for key, value in seen.items():
                rows.setdefault(key, []).append(value)
        stacked = {key: torch.stack(values) for key, values in rows.items()}
        groups = {key: stacked.pop(key) for key in self._obs if key not in ("policy", "critic")}
        told: dict[str, Any] = {**stacked}
        if self._outside is not None:
            told |= self._outside.judge(stacked)
        return Rollout(**told, last=self._obs["critic"], groups=groups)

    def _tell(self, reward: Tensor, done: Tensor, extras: dict[str, Any]) -> None:
        self._length += 1
        self._return += reward
        if bool(done.any()):
            self._curve("episode/length", self._length[done].mean())
            self._curve("episode/return", self._return[done].mean())
            if "success" in extras:
                self._curve("episode/success", extras["success"][done].float().mean())
            self._length[done] = self._return[done] = 0.0
        for key, value in extras.get("log", {}).items():
            self._curve(key, value)

    def _curve(self, key: str, value: Any) -> None:
        number = float(value)
        if number == number:  # NaN: nothing of that kind was there
            self._curves.setdefault(key, []).append(number)

    def drain_curves(self) -> dict[str, float]:
        """Means of what episodes and the task have told since the last call."""
        curves, self._curves = self._curves, {}
        told = {key: sum(values) / len(values) for key, values in curves.items()}
        return told if self._outside is None else told | self._outside.drain_curves()

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next rollout depends on; empty where the environment cannot tell."""
        give = getattr(self.env, "state_dict", None)
        if give is None:
            return {}
        kept = {"obs": self._obs, "length": self._length, "return": self._return}
        return {"env": give(), "rng": self.rng.get_state(), **kept}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where ``state_dict`` was called."""
        if not state:
            return
        env: Any = self.env
        env.load_state_dict(state["env"])
        self._obs, self._length, self._return = state["obs"], state["length"], state["return"]
        self.rng.set_state(state["rng"])
