"""Rewards from outside: what they are put together of, that they are never mixed, kept and anew."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from small_training import TINY, Reach  # noqa: E402

from fmrl_robot.errors import ConfigError, ErrorCode  # noqa: E402
from fmrl_robot.registry import REWARDS, TASKS  # noqa: E402
from fmrl_robot.settings import build  # noqa: E402
from fmrl_robot.train.advantages import advantages  # noqa: E402
from fmrl_robot.train.config import TrainConfig  # noqa: E402
from fmrl_robot.train.learner import Rollout  # noqa: E402
from fmrl_robot.train.outside import Outside, OutsideConfig, Term  # noqa: E402
from fmrl_robot.train.outside_scale import LEAST_SPREAD, OutsideScale  # noqa: E402
from fmrl_robot.train.replay import Replay  # noqa: E402
from fmrl_robot.train.sac import SACConfig  # noqa: E402
from fmrl_robot.train.team import Team  # noqa: E402
from fmrl_robot.train.trainer import Trainer, train  # noqa: E402

GAMMA = 0.9
ENVS = 3


class Counting:
    """Worlds that count their steps: a state is (world, episode, age); some ends are the end."""

    sights = ("state", "caption", "summary")
    num_envs, num_actions, control_dt_s, max_episode_length = ENVS, 1, 0.1, 5

    def __init__(self, seed=0, falls=False):
        self.falls = falls
        self.state = np.zeros((ENVS, 3), np.float32)
        self.state[:, 0] = np.arange(ENVS)

    def show(self, sights):
        self.shown = sights

    def look(self, worlds):
        told = [f"age {int(self.state[w, 2])}" for w in worlds]
        return {"state": self.state[list(worlds)].copy(), "caption": told, "summary": told}

    def reset(self):
        return {"policy": torch.tensor(self.state), "critic": torch.tensor(self.state)}

    def step(self, actions):
        self.state[:, 2] += 1
        shown = self.look(range(ENVS))
        # Each world has its own length, so that ends come apart.
        done = self.state[:, 2] >= 3 + self.state[:, 0]
        self.state[done, 1] += 1
        self.state[done, 2] = 0
        ended = torch.from_numpy(done)
        out = ended & bool(not self.falls)
        extras = {"time_outs": out, "shown": shown}
        return self.reset(), torch.full((ENVS,), 0.5), ended, extras


class Age:
    """Scores the age; of what is told in ``unknown`` it knows nothing."""

    of = "step"
    sees = ("state",)

    def __init__(self, of="step", times=1.0, unknown=()):
        self.of, self.times, self.unknown = of, times, unknown

    @property
    def version(self):
        return f"times={self.times}"

    def embed(self, shown):
        return shown["state"].astype(np.float32)

    def score_steps(self, seen, before):
        value = seen[:, 2] if before is None else seen[:, 2] - before[:, 2]
        return self.times * value, ~np.isin(seen[:, 2], self.unknown)


class Told(Age):
    """Reads the number off a text."""

    def __init__(self, sight):
        super().__init__()
        self.sees = (sight,)

    def embed(self, shown):
        ages = [float(text.split()[-1]) for text in shown[self.sees[0]]]
        return np.array([[0.0, 0.0, age] for age in ages], np.float32)


class Doubling(Age):
    """Scores twice as high after each lesson."""

    lessons = 0

    def learn(self, seen, done):
        assert seen.shape[:2] == done.shape
        self.lessons += 1
        self.times *= 2
        return {"lessons": self.lessons}

    def state_dict(self):
        return {"times": self.times}

    def load_state_dict(self, state):
        self.times = state["times"]


class Registered:
    """What a registry names."""

    in_training = Age


class RegisteredLearning:
    in_training = Doubling


class Watching:
    """A reward that rewards no steps."""


@pytest.fixture(autouse=True)
def lent():
    told = type("RegisteredTold", (), {"in_training": Told})
    with (
        REWARDS.lent("age", Registered),
        REWARDS.lent("told", told),
        REWARDS.lent("doubling", RegisteredLearning),
        REWARDS.lent("watching", Watching),
    ):
        yield


def outside(env=None, team=None, **terms):
    how = {k: terms.pop(k) for k in list(terms) if k in OutsideConfig.__dataclass_fields__}
    made = Outside(OutsideConfig(terms=terms, **how), env or Counting(), GAMMA, team)
    made.begin()
    return made


def act(env, out, steps):
    """Rows as the collector has them, rewarded."""
    rows = {"reward": [], "done": [], "time_out": []}
    for _ in range(steps):
        _, reward, done, extras = env.step(None)
        out.see(extras, done)
        for key, value in zip(rows, (reward, done, extras["time_outs"]), strict=True):
            rows[key].append(value)
    stacked = {key: torch.stack(value) for key, value in rows.items()}
    return stacked, out.judge(stacked)


def ages(steps, world):
    return [i % (3 + world) + 1 for i in range(steps)]


def test_a_reward_is_of_what_a_step_led_to_and_not_of_where_the_next_episode_begins():
    env = Counting()
    _, told = act(env, outside(env, a=Term(reward="age", weight=2.0), own=10.0), 12)
    for world in range(ENVS):
        assert told["reward"][:, world].tolist() == [5.0 + 2.0 * a for a in ages(12, world)]
    assert told["reward"].dtype == torch.float32 and bool(told["known"].all())


@pytest.mark.parametrize("sight", ["caption", "summary"])
def test_texts_are_rewarded_as_states_are(sight):
    env = Counting()
    _, told = act(env, outside(env, a=Term(reward="told", settings={"sight": sight})), 7)
    assert told["reward"][:, 1].tolist() == ages(7, 1)


@pytest.mark.parametrize("cuts", [(12,), (5, 7), (1,) * 12])
def test_a_pair_is_told_what_was_before_across_rollouts_and_beginnings(cuts):
    env = Counting()
    out = outside(env, a=Term(reward="age", settings={"of": "pair"}))
    told = torch.cat([act(env, out, steps)[1]["reward"] for steps in cuts])
    assert told.tolist() == [[1.0] * ENVS] * 12  # from 0 at a beginning, never from an end


@pytest.mark.parametrize("falls", [False, True])
def test_a_potential_adds_up_to_its_ends_alone(falls):
    """The sum of gamma^t (gamma P(after) - P(before)) is gamma^n P(last) - P(first)."""
    env = Counting(falls=falls)
    out = outside(env, a=Term(reward="age", role="potential", weight=3.0))
    told = torch.cat([act(env, out, steps)[1]["reward"] for steps in (4, 3)])
    for world in range(ENVS):
        length = 3 + world
        got = sum(GAMMA**t * float(told[t, world]) for t in range(length))
        last = 0.0 if falls else GAMMA**length * length
        assert got == pytest.approx(3.0 * last, abs=1e-5)


def test_a_gate_lets_the_sum_pass_above_its_threshold():
    env = Counting()
    gate = Term(reward="age", role="gate", threshold=2.0)
    _, told = act(env, outside(env, a=Term(reward="age"), g=gate), 5)
    assert told["reward"][:, 2].tolist() == [0.0, 0.0, 3.0, 4.0, 5.0]


def test_an_episode_is_rewarded_at_its_end_alone_and_the_rest_of_it_is_known():
    env = Counting()
    late = Term(reward="age", settings={"of": "episode", "unknown": (1.0,)})
    _, told = act(env, outside(env, a=late), 6)
    assert told["reward"][:, 0].tolist() == [0.0, 0.0, 3.0] * 2
    assert bool(told["known"].all())


def test_what_is_not_known_is_marked_and_is_not_a_zero_that_counts():
    env = Counting()
    unsure = Term(reward="age", settings={"unknown": (2.0,)})
    _, told = act(env, outside(env, a=unsure, scale_steps=100), 6)
    assert told["known"][:, 0].tolist() == [True, False, True] * 2
    values = [a for w in range(ENVS) for a in ages(6, w) if a != 2]
    spread = np.std(values) + LEAST_SPREAD
    assert float(told["reward"][0, 0]) == pytest.approx((1 - np.mean(values)) / spread, abs=1e-5)


def test_the_first_rewards_set_the_scale_which_then_stays_and_is_part_of_the_checkpoint():
    scale = OutsideScale(4, 1.0, Team())
    scale.learn(torch.tensor([0.0, 2.0]), "1")
    scale.learn(torch.tensor([4.0, 6.0]), "1")
    assert scale.mean == 3.0 and scale.spread == pytest.approx(5**0.5 + LEAST_SPREAD)
    settled = scale.version
    scale.learn(torch.tensor([100.0]), "1")
    assert scale.version == settled
    assert scale(torch.tensor([3.0, 1000.0])).tolist() == [0.0, 1.0]
    again = OutsideScale(4, 1.0, Team())
    again.load_state_dict(scale.state_dict())
    assert again.version == settled
    scale.learn(torch.tensor([100.0]), "2")
    assert scale.mean == 100.0 and scale.version != settled


def kept(told, rows, last):
    steps = len(rows["reward"])
    seen = torch.zeros((steps, ENVS, 1))
    return Rollout(
        policy=seen, critic=seen, output=seen, action=seen, last=torch.zeros((ENVS, 1)),
        **{**rows, **told},
    )  # fmt: skip


@pytest.mark.parametrize("rollouts", [2, 3, 7, 9])
def test_all_that_is_kept_is_rewarded_anew_wherever_the_ring_begins(rollouts):
    """Steps 17, rollouts of 5: the ring is part full, full, and begins in the middle."""
    env = Counting()
    out = outside(env, a=Term(reward="doubling"), learn_every=1)
    replay = Replay(17, window=1, gamma=GAMMA)
    for _ in range(rollouts):
        rows, told = act(env, out, 5)
        replay.add(kept(told, rows, None))
    before = replay.state_dict()["rows"]
    out.learn(1)
    replay.relabel(out.again, out.number)
    after = replay.state_dict()["rows"]
    assert len(after["reward"]) == min(17, 5 * rollouts)
    assert torch.equal(after["reward"], 2.0 * before["reward"])
    assert bool((after["version"] == out.number).all())


def test_a_reward_that_has_not_changed_is_given_anew_to_the_very_same_bits():
    env = Counting()
    term = Term(reward="age", role="potential", settings={"unknown": (2.0,)})
    out = outside(env, a=term, b=Term(reward="age"), scale_steps=10, clip=1.0)
    act(env, out, 5)
    rows, told = act(env, out, 9)
    replay = Replay(20, window=1, gamma=GAMMA)
    replay.add(kept(told, rows, None))
    before = replay.state_dict()["rows"]
    replay.relabel(out.again, out.number + 1)
    after = replay.state_dict()["rows"]
    assert torch.equal(before["reward"], after["reward"])
    assert torch.equal(before["known"], after["known"])


def test_nothing_is_drawn_of_rewards_of_two_versions():
    env = Counting()
    out = outside(env, a=Term(reward="doubling"), learn_every=1)
    replay, mixed = (Replay(20, window=1, gamma=GAMMA, mixed=m) for m in (False, True))
    for _ in range(2):
        rows, told = act(env, out, 5)
        replay.add(kept(told, rows, None))
        mixed.add(kept(told, rows, None))
        replay.sample(4, torch.Generator()) if out.number == 0 else None
        out.learn(1)
    with pytest.raises(ConfigError, match="one version"):
        replay.sample(4, torch.Generator())
    mixed.sample(4, torch.Generator())
    replay.relabel(out.again, out.number)
    replay.sample(4, torch.Generator())


def test_windows_stop_before_what_is_not_known():
    env = Counting()
    out = outside(env, a=Term(reward="age", settings={"unknown": (3.0,)}))
    rows, told = act(env, out, 10)
    replay = Replay(10, window=3, gamma=1.0)
    replay.add(kept(told, rows, None))
    batch = replay.sample(400, torch.Generator().manual_seed(0))
    # From age 1 on: 1 and 2 and no more; never 3, which would make 6; and 0 with no weight.
    assert set(batch["reward"].tolist()) <= {0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 9.0}
    assert bool((batch["weight"][batch["reward"] == 0.0] == 0.0).all())
    assert 0.0 < float(batch["weight"].mean()) < 1.0


def test_what_is_not_known_is_what_the_critic_expected():
    reward, value = torch.tensor([[1.0], [7.0], [1.0]]), torch.tensor([[0.5], [0.2], [0.1]])
    never = torch.zeros((3, 1), dtype=torch.bool)
    known = torch.tensor([[True], [False], [True]])
    how = {"discount": 0.9, "lam": 0.8, "known": known}
    got = advantages(reward, value, torch.tensor([0.3]), never, never, **how)
    third = 1.0 + 0.9 * 0.3 - 0.1
    second = 0.9 * 0.8 * third
    first = 1.0 + 0.9 * 0.2 - 0.5 + 0.9 * 0.8 * second
    assert got[:, 0].tolist() == pytest.approx([first, second, third], abs=1e-6)


class ShownReach(Reach):
    """The goal is shown as the state."""

    sights = ("state",)

    def show(self, sights):
        del sights

    def look(self, worlds):
        return {"state": np.tile(self.goal.astype(np.float32), (1, 3))[list(worlds)]}

    def step(self, actions):
        shown = self.look(range(64))
        obs, reward, done, extras = super().step(actions)
        return obs, reward, done, extras | {"shown": shown}


SAC_ = SACConfig(
    actor=(16,), critic=(16,), updates=2, batch=32, capacity=4000, learning_starts=8, window=2
)


@pytest.mark.parametrize("algorithm", ["ppo", "sac"])
def test_a_term_without_weight_changes_no_bit_of_what_is_learned(tmp_path, algorithm):
    nothing = OutsideConfig(terms={"a": Term(reward="age", weight=0.0)}, own=1.0)
    base = replace(TINY, task="reach", task_settings={}, algorithm=algorithm, sac=SAC_)
    with TASKS.lent("reach", ShownReach):
        plain = train(base, tmp_path / "plain").networks.state_dict()
        told = train(replace(base, outside=nothing), tmp_path / "told").networks.state_dict()
    assert plain.keys() == told.keys()
    assert all(torch.equal(plain[key], told[key]) for key in plain)


def test_a_run_that_goes_on_has_scale_versions_and_what_the_reward_has_learned(tmp_path):
    config = replace(
        TINY, task="reach", task_settings={}, algorithm="sac", sac=SAC_, iterations=4, save_every=2,
        outside=OutsideConfig(
            terms={"a": Term(reward="doubling")}, scale_steps=300, learn_every=1, learn_from=500
        ),
    )  # fmt: skip
    with TASKS.lent("reach", ShownReach):
        first = train(replace(config, iterations=2), tmp_path)
        again = Trainer(config, tmp_path)
        again.load()
        assert again.outside.reward("a").times == first.outside.reward("a").times == 4.0
        assert again.outside.state_dict()["versions"] == first.outside.state_dict()["versions"]
        assert again.outside.number == first.outside.number
        again.run()
    rows = again.learner.replay.state_dict()["rows"]
    assert len(rows["version"].unique()) == 1 and again.outside.reward("a").times == 16.0


def test_what_cannot_reward_a_task_is_refused_before_anything_runs():
    with pytest.raises(ConfigError, match="shows state") as caught:
        outside(Reach(), a=Term(reward="age"))
    assert caught.value.code == ErrorCode.CAPABILITY_MISSING
    with pytest.raises(ConfigError, match="in_training"):
        outside(a=Term(reward="watching"))
    with pytest.raises(ConfigError, match="workers=1"):
        team = type("Two", (), {"size": 2})()
        outside(a=Term(reward="doubling"), team=team)


def test_a_recipe_names_its_terms_and_a_slip_in_one_is_told():
    named = {"outside": {"terms": {"look": {"reward": "vlm_rm", "weight": 0.5}}}}
    assert build(TrainConfig, named, "recipe").outside.terms["look"].weight == 0.5
    named["outside"]["terms"]["look"]["waight"] = 1.0
    with pytest.raises(ConfigError, match=r"outside.terms.look.waight"):
        build(TrainConfig, named, "recipe")


def test_the_template_of_the_documentation_rewards_steps():
    file = Path(__file__).parents[3] / "docs/templates/my_reward.py"
    spec = importlib.util.spec_from_file_location("my_reward", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    env = Counting()
    with REWARDS.lent("my_reward", module.MyReward):
        _, told = act(env, outside(env, a=Term(reward="my_reward", settings={"scale": 2.0})), 9)
    assert told["reward"].tolist() == [[-0.5] * ENVS] * 9
