"""PPO with choices, with actions that last, and with losses beside its own."""

from dataclasses import replace

import numpy as np
import onnxruntime as ort
import pytest
import torch
from small_training import REACH, Reach

from fmrl_robot.control.contact_pattern import policy_contract
from fmrl_robot.control.runner import PolicyRunner
from fmrl_robot.errors import ConfigError
from fmrl_robot.registry import TASKS
from fmrl_robot.robots import GO2
from fmrl_robot.train.advantages import advantages
from fmrl_robot.train.collect import Collector
from fmrl_robot.train.commands import finish
from fmrl_robot.train.config import TrainConfig
from fmrl_robot.train.distributions import masked_categorical
from fmrl_robot.train.losses import Auxiliary, TeacherCrossEntropy, TeacherDivergence
from fmrl_robot.train.ppo import PPO, ActorCritic, LearnerConfig
from fmrl_robot.train.text_observations import WithTexts
from fmrl_robot.train.trainer import Trainer, train

CONFIG = TrainConfig(
    task="test-doors", iterations=25, actor=(16,), critic=(16,), threads=1, gamma=0.9,
    learning_rate=3e-3, steps_per_env=8,
)  # fmt: skip


class Doors:
    """Three doors; the one that is named opens. The last one is never there."""

    num_envs, num_actions, control_dt_s, max_episode_length, discrete = 32, 3, 0.02, 1, True

    def __init__(self, seed=0):
        self.rng = np.random.default_rng(seed)
        self.named = np.zeros(32, int)

    def texts(self):
        return [f"open door {i}" for i in self.named]

    def observe(self):
        admissible = torch.ones(32, 3, dtype=torch.bool)
        admissible[:, 2] = False
        seen = torch.tensor(np.eye(3)[self.named], dtype=torch.float32)
        return {"policy": seen, "critic": seen, "admissible": admissible}

    def reset(self):
        self.named = self.rng.integers(0, 2, 32)
        return self.observe()

    def step(self, actions):
        assert actions.dtype == torch.int64 and actions.shape == (32,) and int(actions.max()) < 2
        reward = torch.tensor(actions.numpy() == self.named, dtype=torch.float32)
        self.named = self.rng.integers(0, 2, 32)
        done = torch.ones(32, dtype=torch.bool)
        extras = {
            "time_outs": torch.zeros(32, dtype=torch.bool), "log": {"right": float(reward.mean())},
            "duration": torch.full((32,), 3.0),
        }  # fmt: skip
        return self.observe(), reward, done, extras


class BlindDoors(Doors):
    """The same without seeing which one is named."""

    def observe(self):
        obs = super().observe()
        return {**obs, "policy": torch.zeros(32, 1), "critic": torch.zeros(32, 1)}


class Letters:
    """Embeds a sentence by its last letter."""

    model_id = "letters"

    def __init__(self):
        self.asked = []

    def embed_texts(self, texts):
        self.asked += texts
        return np.eye(26)[[ord(t[-1]) % 26 for t in texts]]


@pytest.fixture(autouse=True)
def tasks(monkeypatch):
    for name, task in (("test-doors", "Doors"), ("test-blind-doors", "BlindDoors")):
        monkeypatch.setitem(TASKS._builtin, name, f"{__name__}:{task}")
    monkeypatch.setitem(TASKS._builtin, "test-reach", REACH)


@pytest.fixture
def loaded(monkeypatch):
    """Tasks as they are given, for those that are no function of a module."""
    made = {}
    monkeypatch.setattr(TASKS, "load", lambda name: lambda **_: made[name])
    return made


def right(config, folder, losses=()):
    told = []
    train(config, folder, losses=losses, progress=lambda *told_: told.append(told_[-1]["right"]))
    return np.mean(told[-5:])


def test_choices_are_learned_and_those_that_are_not_there_never_made(tmp_path, loaded):
    loaded["test-doors"] = Doors()
    assert right(CONFIG, tmp_path) > 0.9


def test_soft_actor_critic_makes_no_choices(tmp_path, loaded):
    loaded["test-doors"] = Doors()
    with pytest.raises(ConfigError, match="algorithm=ppo for choices"):
        Trainer(replace(CONFIG, algorithm="sac"), tmp_path)
    with pytest.raises(ConfigError, match="TeacherCrossEntropy"):
        train(replace(CONFIG, imitation_rounds=1), tmp_path)


def test_a_sentence_tells_what_the_numbers_do_not(tmp_path, loaded):
    loaded["test-doors"] = BlindDoors()
    assert right(CONFIG, tmp_path / "blind") < 0.65
    embedder = Letters()
    loaded["test-doors"] = WithTexts(BlindDoors(), embedder)
    assert right(CONFIG, tmp_path / "told") > 0.9
    assert sorted(embedder.asked) == [".", "open door 0", "open door 1"]


class Mirrored(BlindDoors):
    """With what a task may offer besides."""

    dump_dir = None

    def mirror(self):
        return {"observation_swap": [0], "observation_sign": [-1.0], "action_swap": [1, 0, 2],
                "action_sign": [1.0, 1.0, 1.0]}  # fmt: skip

    def contract(self):
        return policy_contract(GO2)


def test_what_a_task_offers_it_offers_with_sentences_too():
    assert not hasattr(WithTexts(BlindDoors(), Letters()), "mirror")
    env = WithTexts(Mirrored(), Letters())
    parts = env.mirror()
    assert parts["observation_swap"] == list(range(27))
    assert parts["observation_sign"] == [-1.0, *[1.0] * 26]
    contract, own = env.contract(), policy_contract(GO2)
    assert contract.observation_size == own.observation_size + 26
    assert contract.command_names == (*own.command_names, "text")
    env.dump_dir = "there"  # as the trainer sets it
    assert env._env.dump_dir == "there"
    assert env.reset()["policy"].shape == (32, 27)


def teacher(batch):
    return batch.policy.argmax(-1)


def certain(batch):
    return masked_categorical(20.0 * batch.policy)


@pytest.mark.parametrize(
    "loss",
    [TeacherCrossEntropy(weight=1.0, teacher=teacher),
     TeacherDivergence(weight=1.0, teacher=certain)],
)  # fmt: skip
def test_a_teacher_is_followed_where_rewards_say_nothing(tmp_path, loaded, monkeypatch, loss):
    loaded["test-doors"] = Doors()
    monkeypatch.setattr(
        "fmrl_robot.train.ppo.advantages", lambda reward, *_, **__: torch.randn_like(reward) * 1e-3
    )
    assert right(CONFIG, tmp_path / "alone") < 0.75
    assert right(CONFIG, tmp_path / "taught", [loss]) > 0.9


def test_an_auxiliary_loss_learns_with_its_own_weights_and_goes_on(tmp_path, loaded):
    loaded["test-doors"] = Doors()
    auxiliary = Auxiliary("admissible", features=16, size=3, weight=1.0)
    before = auxiliary.head.weight.detach().clone()
    curves = []
    train(
        replace(CONFIG, iterations=10), tmp_path, losses=[auxiliary],
        progress=lambda *told: curves.append(told[-1]["loss/further_0"]),
    )  # fmt: skip
    assert curves[-1] < 0.5 * curves[0]
    assert not torch.equal(auxiliary.head.weight, before)
    again = Auxiliary("admissible", features=16, size=3, weight=1.0)
    trainer = Trainer(replace(CONFIG, iterations=10), tmp_path, losses=[again])
    trainer.load()
    assert torch.equal(again.head.weight, auxiliary.head.weight)


def plain_update(networks, optimiser, rollout, config, rng):
    """The formulas for numbers as actions, without parts."""
    std = networks.head.log_std.detach().exp()
    with torch.no_grad():
        value = networks.value(rollout.critic)
        advantage = advantages(
            rollout.reward, value, networks.value(rollout.last), rollout.done, rollout.time_out,
            discount=config.gamma, lam=config.lam,
        )  # fmt: skip
        target = advantage + value
        mean, square = advantage.mean(), advantage.square().mean()
        advantage = (advantage - mean) / ((square - mean.square()).clamp_min(0.0).sqrt() + 1e-8)

        def density(mean, std, action):
            return -0.5 * ((action - mean) / std).square().sum(-1) - std.log().sum()

        flat = [
            x.flatten(0, 1)
            for x in (rollout.policy, rollout.action, rollout.critic, value, target, advantage,
                      density(rollout.output, std, rollout.action))
        ]  # fmt: skip
    rows = len(flat[0])
    size = rows // config.mini_batches
    for _ in range(config.epochs):
        order = torch.randperm(rows, generator=rng)
        for i in range(config.mini_batches):
            seen, action, told, old, goal, gain, before = (
                x[order][i * size : (i + 1) * size] for x in flat
            )
            mean, std = networks.actor(seen), networks.head.log_std.exp()
            ratio = (density(mean, std, action) - before).exp()
            clipped = ratio.clamp(1 - config.clip, 1 + config.clip)
            surrogate = -torch.minimum(ratio * gain, clipped * gain).mean()
            now = networks.value(told)
            near = old + (now - old).clamp(-config.clip, config.clip)
            error = torch.maximum((now - goal).square(), (near - goal).square()).mean()
            entropy = networks.head.log_std.sum()
            optimiser.zero_grad()
            (surrogate + config.value_loss * error - config.entropy * entropy).backward()
            parts = [p.grad.flatten() for p in networks.parameters()]
            norm = torch.cat(parts).norm()
            for p in networks.parameters():
                p.grad.mul_((config.max_grad_norm / (norm + 1e-6)).clamp_max(1.0))
            optimiser.step()


def test_with_numbers_as_actions_it_is_the_plain_formulas_to_the_bit():
    config = LearnerConfig(actor=(8, 8), critic=(8,), desired_kl=0.0, mini_batches=2, epochs=2)
    torch.manual_seed(0)
    one, other = (ActorCritic(config, (1, 1, 1)) for _ in range(2))
    other.load_state_dict(one.state_dict())
    learner, rng = PPO(config, one, seed=3), torch.Generator().manual_seed(3)
    adam = torch.optim.Adam(other.parameters(), config.learning_rate, fused=True)
    collector = Collector(Reach(), one, steps=4, seed=1)
    for _ in range(3):
        rollout = collector.collect()
        learner.update(rollout)
        plain_update(other, adam, rollout, config, rng)
    for mine, plain in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(mine, plain)


def test_checkpoints_with_the_spread_beside_the_networks_are_read():
    config = LearnerConfig(actor=(8,), critic=(8,))
    one, other = (ActorCritic(config, (1, 1, 2)) for _ in range(2))
    with torch.no_grad():
        one.head.log_std += 0.25
    state = one.state_dict()
    other.load_state_dict({k.removeprefix("head."): v for k, v in state.items()})
    assert torch.equal(other.head.log_std, one.head.log_std)


@pytest.mark.parametrize("algorithm", ["ppo", "sac"])
def test_the_critic_is_exported_beside_the_actor(tmp_path, algorithm):
    from small_training import TINY, values

    trainer = Trainer(TrainConfig(**{**values(TINY), "algorithm": algorithm}), tmp_path)
    networks = trainer.networks
    if algorithm == "sac":
        networks.critic_scale.learn(torch.randn(64, trainer.sizes[1]) * 3.0 + 1.0, trainer.team)
    finish(trainer)
    session = ort.InferenceSession(str(tmp_path / "critic.onnx"))
    told = session.get_modelmeta().custom_metadata_map
    for key, value in policy_contract(GO2).to_metadata().items():
        if key not in ("config_sha256", "evaluation"):
            assert told[key] == value
    assert told["role"] == '"critic"' and float(told["gamma"]) == 0.99
    seen, action = torch.randn(1, trainer.sizes[1]), torch.rand(1, trainer.sizes[2]) - 0.5
    with torch.no_grad():
        if algorithm == "ppo":
            row, want = seen, networks.value(seen)
        else:
            row = torch.cat([seen, action], -1)
            want = networks.critic(networks.seen(seen, action)).amin(0)
    assert int(told["critic_observation_size"]) == row.shape[1]
    (got,) = session.run(None, {"observation": row.numpy()})
    assert got[0, 0] == pytest.approx(float(want), abs=1e-4)
    with pytest.raises(ConfigError):  # a critic moves no robot
        PolicyRunner(tmp_path / "critic.onnx", policy_contract(GO2))
