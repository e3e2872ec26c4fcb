"""Several quadrupeds in one yard, under the names of PettingZoo's parallel interface.

A small example of a world of skills for many: all robots share the yard, gates and what was found,
each chooses its own skill, and a step lasts as long as the slowest. A robot sees the layout, where
it is itself, and another robot only where it stands beside it. All are paid alike when the task is
done: a thing found, and everybody back where they began.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np

from fmrl_robot.errors import ConfigError
from fmrl_robot.skills.chances import chance
from fmrl_robot.skills.env.menu import HERE, menu
from fmrl_robot.skills.env.tasks import Split, wording
from fmrl_robot.skills.env.views import Views
from fmrl_robot.skills.env.words import DONE
from fmrl_robot.skills.env.yard import ROBOT_NAME, YardOptions, yard_tasks
from fmrl_robot.skills.world import World
from fmrl_robot.types import BoolArray, FloatBatch, Predicate, SkillView

ROBOTS = ("red_dog", "blue_dog")
WAITING_S = 1.0
"""What a step lasts in which nobody does anything."""

Observation = dict[str, FloatBatch | BoolArray]
"""``state``, facts as 0 or 1, and ``action_mask``, what is admissible."""


class YardTeam:
    """Quadrupeds that look for something together and meet again."""

    metadata: Mapping[str, Any] = {"name": "yard_team", "render_modes": []}

    def __init__(
        self, robots: tuple[str, ...] = ROBOTS, *, split: Split = "seen", max_steps: int = 40
    ) -> None:
        """Build it; ``reset`` begins.

        Args:
            robots: names, at least one.
            split: of tasks.
            max_steps: after which an episode is cut.
        """
        self.possible_agents = list(robots)
        self.agents: list[str] = []
        self.task = ""
        """What all are asked for, in words."""
        self._options = YardOptions(families=("find",), robots=robots)
        self._split: Split = split
        self._max_steps = max_steps
        self._kept: dict[str, Views] = {}
        self._seed, self._episode, self._steps = 0, 0, 0
        self._world, self._goal = self._draw()

    def observation_space(self, agent: str) -> gymnasium.spaces.Dict:
        """What ``agent`` sees."""
        view = self.view(agent)
        return gymnasium.spaces.Dict(
            {
                "state": gymnasium.spaces.Box(0.0, 1.0, view.state.shape, np.float32),
                "action_mask": gymnasium.spaces.MultiBinary(len(view.phrases)),
            }
        )

    def action_space(self, agent: str) -> gymnasium.spaces.Discrete:
        """The numbers of the phrases that ``agent`` may choose."""
        return gymnasium.spaces.Discrete(len(self._views(agent).menu.phrases))

    def reset(
        self, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[dict[str, Observation], dict[str, dict[str, Any]]]:
        """Begin an episode; the same seed gives the same one, None the next of the last seed."""
        del options
        self._episode = 0 if seed is not None else self._episode + 1
        self._seed = self._seed if seed is None else seed
        self._steps, self.agents = 0, list(self.possible_agents)
        self._world, self._goal = self._draw()
        return self._seen(), {agent: {"seconds": 0.0} for agent in self.agents}

    def step(
        self, actions: Mapping[str, int]
    ) -> tuple[
        dict[str, Observation],
        dict[str, float],
        dict[str, bool],
        dict[str, bool],
        dict[str, dict[str, Any]],
    ]:
        """Do what each robot chose, in the order of their names.

        Raises:
            ConfigError: a robot of ``agents`` chose nothing, or somebody else did.
        """
        if set(actions) != set(self.agents):
            raise ConfigError(
                f"expected a choice of each of {self.agents!r}, got {sorted(actions)!r}; reset "
                "where an episode has ended"
            )
        agents, lasted = self.agents, WAITING_S
        self._steps += 1
        for agent in agents:
            lasted = max(lasted, self._act(agent, actions[agent]))
        done = all(map(self._world.holds, self._goal))
        cut = not done and self._steps >= self._max_steps
        seen = self._seen()
        if done or cut:
            self.agents = []
        return (
            seen,
            dict.fromkeys(agents, float(done)),
            dict.fromkeys(agents, done),
            dict.fromkeys(agents, cut),
            {agent: {"seconds": lasted} for agent in agents},
        )

    def view(self, agent: str) -> SkillView:
        """What a robot sees, with words."""
        return self._views(agent)(self._known_to(agent))

    def _act(self, agent: str, number: int) -> float:
        """Carry out one robot's choice; how long it took."""
        view, choice = self.view(agent), self._views(agent).menu.choices[number]
        if choice.name == DONE or not view.admissible[number]:
            return 0.0
        target = self._world.where(agent) if choice.args[-1] == HERE else choice.args[-1]
        known = chance(ROBOT_NAME, choice.name, self._world.things[target])
        if self._rng.random() < known.success:
            self._world.apply(choice.name, target, agent)
        return known.seconds

    def _draw(self) -> tuple[World, tuple[Predicate, ...]]:
        self._rng = random.Random(f"{self._seed} {self._episode}")  # noqa: S311
        task = yard_tasks(self._options)(self._rng, self._split)
        home = task.start.where(self.possible_agents[0])
        self.task = f"{task.instruction} and come back"
        meeting = tuple(Predicate("at", (robot, home)) for robot in self.possible_agents)
        return task.start.copy(), (*task.goals[0], *meeting)

    def _views(self, agent: str) -> Views:
        """Layouts come and go; things, and so facts and choices, stay what they are."""
        found = self._kept.get(agent)
        if found is None:
            asked = menu(self._world.domain, False, wording(self._split), agent)
            found = self._kept[agent] = Views(asked, hides=False)
        return found

    def _known_to(self, agent: str) -> int:
        """The state without the robots that are elsewhere."""
        whole, bits = self._world.domain, self._world.bits
        here = self._world.where(agent)
        for other in self.possible_agents:
            if other != agent and self._world.where(other) != here:
                bits &= ~whole.here[other][0]
        return bits

    def _seen(self) -> dict[str, Observation]:
        found: dict[str, Observation] = {}
        for agent in self.agents:
            view = self.view(agent)
            found[agent] = {"state": view.state, "action_mask": view.admissible}
        return found
