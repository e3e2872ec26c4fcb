"""Soft actor-critic: windows by hand, a policy that reaches, the same bits after a kill."""

import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from fmrl_robot.assets import policies_dir  # noqa: E402
from fmrl_robot.control import locomotion as loco  # noqa: E402
from fmrl_robot.control.contact_pattern import policy_contract  # noqa: E402
from fmrl_robot.control.runner import PolicyRunner  # noqa: E402
from fmrl_robot.errors import ConfigError  # noqa: E402
from fmrl_robot.registry import TASKS  # noqa: E402
from fmrl_robot.robots import GO2  # noqa: E402
from fmrl_robot.train.commands import export_checkpoint, recipe  # noqa: E402
from fmrl_robot.train.config import TrainConfig  # noqa: E402
from fmrl_robot.train.learner import Rollout  # noqa: E402
from fmrl_robot.train.replay import Replay  # noqa: E402
from fmrl_robot.train.sac import SAC, SACConfig  # noqa: E402
from fmrl_robot.train.soft_networks import Scale, SoftActorCritic, Twins  # noqa: E402
from fmrl_robot.train.state_file import read_state  # noqa: E402
from fmrl_robot.train.team import Team  # noqa: E402
from fmrl_robot.train.trainer import CHECKPOINT, Trainer, train  # noqa: E402

SMALL = SACConfig(
    actor=(16,), critic=(16,), updates=2, batch=32, capacity=400, learning_starts=8, window=3
)
TINY = TrainConfig(
    task_settings={"num_envs": 8, "threads": 1}, algorithm="sac", sac=SMALL, iterations=4,
    steps_per_env=4, threads=1,
)  # fmt: skip


def rollout(steps, envs, rng, done, time_out, first=0):
    """Observations tell the step and the environment, so that a window can be traced back."""
    step = torch.arange(first, first + steps + 1)[:, None].expand(steps + 1, envs)
    *seen, last = torch.stack([step, torch.arange(envs).expand(steps + 1, envs)], -1).float()
    seen = torch.stack(seen)
    return Rollout(
        policy=seen, critic=seen + 0.5, output=torch.zeros(steps, envs, 1),
        action=torch.rand((steps, envs, 1), generator=rng),
        reward=torch.rand((steps, envs), generator=rng), done=done | time_out,
        time_out=time_out, last=last + 0.5,
    )  # fmt: skip


@pytest.mark.parametrize("window", [1, 3])
def test_windows_end_where_episodes_do(window):
    rng, envs, gamma = torch.Generator().manual_seed(0), 3, 0.9
    replay, told = Replay(50, window=window, gamma=gamma), []
    for i in range(9):
        done = torch.rand((7, envs), generator=rng) < 0.15
        time_out = ~done & (torch.rand((7, envs), generator=rng) < 0.2)
        told.append(rollout(7, envs, rng, done, time_out, first=7 * i))
        replay.add(told[-1])
    whole = {
        k: torch.cat([getattr(r, k) for r in told])
        for k in ("action", "reward", "done", "time_out")
    }
    batch = replay.sample(4000, rng)
    starts = set()
    for i in range(4000):
        start, env = (int(v) for v in batch["policy"][i])
        starts.add(start)
        assert torch.equal(batch["critic"][i], batch["policy"][i] + 0.5)
        assert torch.equal(batch["action"][i], whole["action"][start, env])
        total, after, fell = 0.0, 0, False
        while after < window and not fell and not whole["time_out"][start + after, env]:
            total += gamma**after * float(whole["reward"][start + after, env])
            fell = bool(whole["done"][start + after, env])
            after += 1
        assert float(batch["reward"][i]) == pytest.approx(total, abs=1e-5)
        assert float(batch["weight"][i]) == float(after > 0)
        if fell:
            assert float(batch["discount"][i]) == 0.0
        else:
            assert float(batch["discount"][i]) == pytest.approx(gamma**after)
            assert batch["next_policy"][i].tolist() == [start + after, env]
    # 63 steps were kept in a ring of 50, and a window has to have its end.
    assert starts == set(range(13, 63 - window))


def test_a_replay_goes_on_with_the_very_same_windows():
    rng, none = torch.Generator().manual_seed(0), torch.zeros((7, 2), dtype=torch.bool)
    one, other = (Replay(10, window=2, gamma=0.9) for _ in range(2))
    for _ in range(3):
        one.add(rollout(7, 2, rng, none, none))
    other.load_state_dict(one.state_dict())
    more = rollout(7, 2, rng, none, none, first=7)
    one.add(more), other.add(more)
    drawn = [r.sample(64, torch.Generator().manual_seed(1)) for r in (one, other)]
    assert all(torch.equal(drawn[0][k], drawn[1][k]) for k in drawn[0])


def test_a_rollout_longer_than_the_ring_leaves_its_end():
    rng, none = torch.Generator().manual_seed(0), torch.zeros((9, 2), dtype=torch.bool)
    replay = Replay(4, window=1, gamma=0.9)
    replay.add(rollout(9, 2, rng, none, none))
    assert replay.sample(200, rng)["policy"][:, 0].unique().tolist() == [5.0, 6.0, 7.0]


def test_no_window_leads_from_one_run_into_another():
    rng, none = torch.Generator().manual_seed(0), torch.zeros((4, 2), dtype=torch.bool)
    fell = none.clone()
    fell[-1, 1] = True
    replay = Replay(20, window=2, gamma=0.5)
    replay.add(rollout(4, 2, rng, fell, none))
    replay.add(rollout(4, 2, rng, none, none, first=10))
    batch = replay.sample(500, rng)
    start, env = batch["policy"].long().unbind(-1)
    # The environment that had fallen had ended; of the other the last step leads nowhere.
    for first, where, weight, discount in (
        (2, 0, 1.0, 0.5), (3, 0, 0.0, 1.0), (2, 1, 1.0, 0.0), (3, 1, 1.0, 0.0), (1, 0, 1.0, 0.25),
    ):  # fmt: skip
        here = (start == first) & (env == where)
        assert here.any()
        assert batch["weight"][here].unique().tolist() == [weight]
        assert batch["discount"][here].unique().tolist() == [discount]


def test_a_replay_that_holds_no_window_is_refused():
    networks = SoftActorCritic(((8,), (8,)), (2, 2, 1))
    with pytest.raises(ConfigError, match=r"sac\.capacity above 64, .* got 60"):
        SAC(SACConfig(window=3, capacity=60), networks, num_envs=16)


def test_the_density_of_an_action_is_that_of_a_squashed_gaussian():
    torch.manual_seed(0)
    networks = SoftActorCritic(((8,), (8,)), (2, 2, 3))
    for parameter in networks.actor.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    seen = torch.randn(50, 2)
    action, density, middle = networks.draw(seen, torch.Generator().manual_seed(0))
    mean, raw = networks.actor(seen).chunk(2, -1)
    spread = (-5.0 + 3.0 * (torch.tanh(raw) + 1.0)).exp()
    squash = torch.distributions.TanhTransform(cache_size=0)
    wanted = torch.distributions.TransformedDistribution(
        torch.distributions.Normal(mean, spread), [squash]
    )
    near = action.abs().amax(-1) < 0.999
    assert near.sum() > 20
    assert torch.allclose(wanted.log_prob(action).sum(-1)[near], density[near], atol=2e-3)
    assert torch.equal(middle, torch.tanh(mean))


def test_twins_are_two_networks():
    torch.manual_seed(0)
    twins, x = Twins((5, 16, 16, 1)), torch.randn(7, 5)
    for k, value in enumerate(twins(x)):
        hidden = x
        for i, (w, b) in enumerate(zip(twins.weights, twins.biases, strict=True)):
            hidden = hidden @ w[k] + b[k]
            hidden = torch.relu(hidden) if i < 2 else hidden
        assert torch.allclose(value, hidden[:, 0], atol=1e-5)
    assert not torch.allclose(*twins(x))


def test_observations_are_scaled_by_what_was_seen():
    torch.manual_seed(0)
    scale, parts = Scale(3), [torch.randn(5, 8, 3) * 4 + 2, torch.randn(9, 8, 3) - 50]
    for part in parts:
        scale.learn(part, Team())
    rows = torch.cat([part.flatten(0, 1) for part in parts])
    assert torch.allclose(scale.mean, rows.mean(0), atol=1e-3)
    assert torch.allclose(scale.spread, rows.std(0, correction=0), rtol=1e-3)
    assert torch.allclose(scale(rows).std(0, correction=0), torch.ones(3), rtol=1e-3)


@pytest.mark.parametrize(
    ("fall_every", "time_out_every", "value"), [(0, 0, 10.0), (0, 5, 10.0), (1, 0, 1.0)]
)
def test_critics_learn_what_is_to_come_after_the_end_of_time_too(fall_every, time_out_every, value):
    torch.set_num_threads(1)
    torch.manual_seed(0)
    config = SACConfig(
        actor=(16,), critic=(32,), updates=400, batch=64, window=2, gamma=0.9, tau=0.1,
        learning_rate=5e-3, initial_temperature=1e-6, target_entropy=-1e3, learning_starts=10,
    )  # fmt: skip
    learner = SAC(config, SoftActorCritic(((16,), (32,)), (2, 2, 1)), num_envs=4)
    step = torch.arange(1, 61)[:, None].expand(60, 4)
    ends = [step % every == 0 if every else step < 0 for every in (fall_every, time_out_every)]
    told = rollout(60, 4, torch.Generator().manual_seed(0), *ends)
    told = replace(told, reward=torch.ones(60, 4), policy=told.policy * 0, critic=told.critic * 0)
    learner.update(told)
    seen = learner.networks.seen(torch.zeros(8, 2), torch.linspace(0, 1, 8)[:, None])
    assert torch.allclose(learner.networks.critic(seen), torch.tensor(value), rtol=0.1)


class Reach:
    """Bring a point to rest at a goal: what an action does is told steps later."""

    num_envs, num_actions, control_dt_s, max_episode_length = 16, 1, 0.05, 20

    def __init__(self, seed=0):
        self.rng = torch.Generator().manual_seed(seed)

    def observe(self):
        seen = torch.cat([self.x, self.v, self.goal], -1)
        return {"policy": seen, "critic": seen}

    def draw(self):
        return 2 * torch.rand((16, 1), generator=self.rng) - 1

    def reset(self):
        self.x, self.v, self.goal = self.draw(), torch.zeros(16, 1), self.draw()
        self.age = torch.randint(20, (16, 1), generator=self.rng)
        return self.observe()

    def step(self, action):
        self.v = 0.6 * self.v + 0.3 * action.clamp(-1, 1)
        self.x, self.age = self.x + self.v, self.age + 1
        reward = -(self.x - self.goal).abs()[:, 0]
        over = self.age >= 20
        self.x, self.goal = (torch.where(over, self.draw(), v) for v in (self.x, self.goal))
        self.v, self.age = self.v * ~over, self.age * ~over
        done = over[:, 0]
        return self.observe(), reward, done, {"time_outs": done}


def test_training_improves(tmp_path, monkeypatch):
    monkeypatch.setitem(TASKS._builtin, "test-point", f"{__name__}:Reach")
    sac = SACConfig(
        actor=(32, 32), critic=(32, 32), updates=8, batch=64, learning_starts=500,
        learning_rate=2e-3, gamma=0.9, target_entropy=-2.0, window=2,
    )  # fmt: skip
    config = TrainConfig(
        task="test-point", algorithm="sac", sac=sac, iterations=150, steps_per_env=8, threads=1
    )
    seen = []
    train(config, tmp_path, progress=lambda i, n, left, curves: seen.append(curves))
    returns = [c["episode/return"] for c in seen if "episode/return" in c]
    # One that stands still loses 13.3 an episode: two thirds of a unit from the goal, 20 times.
    assert np.mean(returns[:5]) < -9.0
    assert np.mean(returns[-10:]) > -4.5
    assert seen[-1]["learner/temperature"] != seen[20]["learner/temperature"]


KILLED = """
import os, signal
from pathlib import Path
from fmrl_robot.train.commands import recipe
from fmrl_robot.train import trainer

save = trainer.Trainer.save

def save_and_die(self):
    save(self)
    if self.iteration == 6:
        os.kill(os.getpid(), signal.SIGKILL)

trainer.Trainer.save = save_and_die
trainer.train(recipe("go2-saytap", Path({folder!r})), Path({folder!r}))
"""


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_run_goes_on_to_the_very_same_bits(tmp_path, workers):
    kept = {name: getattr(TINY, name) for name in TrainConfig.__dataclass_fields__}
    # The ring of 400 / 8 = 50 steps is full, and has begun anew, when the run is killed.
    config = TrainConfig(
        **{**kept, "iterations": 9, "save_every": 3, "workers": workers, "steps_per_env": 10}
    )
    train(config, tmp_path / "whole")
    folder = tmp_path / "killed"
    folder.mkdir()
    (folder / "config.yaml").write_bytes((tmp_path / "whole" / "config.yaml").read_bytes())
    code = KILLED.format(folder=str(folder))
    assert subprocess.run([sys.executable, "-c", code]).returncode == -signal.SIGKILL
    train(config, folder, resume=True)
    one, two = (read_state(tmp_path / run / CHECKPOINT) for run in ("whole", "killed"))
    assert one["iteration"] == two["iteration"] == 9
    assert len(one["workers"][0]["replay"]["rows"]["reward"]) == 50
    for of in ("learner", "workers"):
        assert _same(one[of], two[of])


def _same(a, b):
    if torch.is_tensor(a):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(_same, a, b))
    return a == b


def test_the_exported_file_answers_as_the_network(tmp_path):
    train(TINY, tmp_path)
    export_checkpoint("go2-saytap", tmp_path)
    trainer = Trainer(TINY, tmp_path)
    trainer.load()
    assert float(trainer.networks.policy_scale.spread.std()) > 0.0
    policy = PolicyRunner(tmp_path / "policy.onnx", policy_contract(GO2))
    rng, generator = np.random.default_rng(0), torch.Generator().manual_seed(0)
    for _ in range(20):
        terms = {name: rng.normal(size=size) for name, size, _ in loco.OBSERVATIONS}
        seen = torch.tensor(loco.observe(terms), dtype=torch.float32)[None]
        with torch.no_grad():
            _, wanted = trainer.networks.explore(seen, generator)
        assert np.abs(policy.act(terms) - wanted[0].numpy()).max() < 1e-5
        assert wanted.abs().max() < 1.0


def test_a_mirrored_task_has_a_mirrored_actor(tmp_path):
    train(TINY, tmp_path)
    trainer = Trainer(TINY, tmp_path)
    trainer.load()
    (swap, sign), (a_swap, a_sign) = loco.mirror_observation(), loco.mirror_action()
    seen = torch.randn(16, 65)
    other = seen[:, swap.tolist()] * torch.tensor(sign, dtype=torch.float32)
    with torch.no_grad():
        one, two = (trainer.networks.explore(x, torch.Generator())[1] for x in (seen, other))
    assert one.std() > 1e-4
    wanted = one[:, a_swap.tolist()] * torch.tensor(a_sign, dtype=torch.float32)
    assert torch.allclose(two, wanted, atol=1e-5)


def test_a_demonstrator_is_not_for_sac(tmp_path):
    config = TrainConfig(
        task="panda-press", algorithm="sac", sac=SMALL, imitation_rounds=1, threads=1,
        task_settings={"num_envs": 2, "pool": 4},
    )  # fmt: skip
    with pytest.raises(ConfigError, match="imitation_rounds=0 with algorithm=sac"):
        train(config, tmp_path)


@pytest.mark.parametrize("name", [f.parent.name for f in policies_dir().glob("*/policy.onnx")])
def test_shipped_recipes_are_of_ppo(name):
    assert recipe(name).algorithm == "ppo"


def test_nested_settings_of_sac_are_refused_by_name():
    with pytest.raises(ConfigError, match=r"got sac\.tao"):
        recipe("go2-saytap", changes={"sac.tao": 0.1})
    with pytest.raises(ConfigError, match=r"'ppo' or 'sac' at algorithm, got 'td3'"):
        recipe("go2-saytap", changes={"algorithm": "td3"})
