import numpy as np
import pytest
import yaml

torch = pytest.importorskip("torch")
pytest.importorskip("rsl_rl")

from fmrl_robot.control import locomotion as loco  # noqa: E402
from fmrl_robot.control.quadruped import policy_contract  # noqa: E402
from fmrl_robot.control.runner import PolicyRunner  # noqa: E402
from fmrl_robot.errors import ConfigError  # noqa: E402
from fmrl_robot.registry import TASKS  # noqa: E402
from fmrl_robot.robots import GO2  # noqa: E402
from fmrl_robot.train.cards import rounded, share, wilson  # noqa: E402
from fmrl_robot.train.commands import export_checkpoint  # noqa: E402
from fmrl_robot.train.evaluate import OnnxPolicy  # noqa: E402
from fmrl_robot.train.export import export_policy  # noqa: E402
from fmrl_robot.train.ppo import CHECKPOINT, PPOConfig, build_runner, train  # noqa: E402

SMALL = {"num_envs": 8, "threads": 1}
TINY = PPOConfig(task_settings=SMALL, iterations=2, actor=(16,), critic=(16,), threads=1)


class Reach:
    """One number to be moved to a goal that is seen: learnable in seconds."""

    num_envs, num_actions, control_dt_s, max_episode_length = 64, 1, 0.02, 10

    def __init__(self, seed=0):
        self.rng = np.random.default_rng(seed)
        self.age = np.zeros(64, int)
        self.goal = np.zeros((64, 1))

    def observe(self):
        return {"policy": self.goal.astype("f"), "critic": self.goal.astype("f")}

    def reset(self):
        self.goal = self.rng.uniform(-1, 1, (64, 1))
        return self.observe()

    def step(self, actions):
        reward = -np.abs(actions - self.goal)[:, 0]
        self.age += 1
        done = self.age >= self.max_episode_length
        self.age[done] = 0
        self.goal = self.rng.uniform(-1, 1, (64, 1))
        log = {"miss": float(-reward.mean())}
        return self.observe(), reward.astype("f"), done, {"time_outs": done, "log": log}


@pytest.fixture(autouse=True)
def reach(monkeypatch):
    monkeypatch.setitem(TASKS._builtin, "test-reach", f"{__name__}:Reach")


def test_training_improves(tmp_path):
    lines = []
    config = PPOConfig(
        task="test-reach", iterations=101, actor=(32,), critic=(32,), initial_std=0.5, threads=1
    )
    train(config, tmp_path, report=lines.append)
    missed = [float(line.split(" miss=")[1].split()[0]) for line in lines]
    assert missed[-1] < 0.6 * missed[0]
    assert "eta_s=" in lines[0]


def test_a_run_leaves_checkpoint_configuration_and_log_and_goes_on(tmp_path):
    train(TINY, tmp_path)
    assert yaml.safe_load((tmp_path / "config.yaml").read_text())["actor"] == [16]
    assert list(tmp_path.glob("events.out.tfevents*"))
    assert not list(tmp_path.glob(".checkpoint*"))
    first = torch.load(tmp_path / CHECKPOINT, weights_only=False)
    train(PPOConfig(**{**_values(TINY), "iterations": 4}), tmp_path, resume=True)
    second = torch.load(tmp_path / CHECKPOINT, weights_only=False)
    assert first["iter"] == 1
    assert second["iter"] > first["iter"]


def test_there_has_to_be_something_to_resume(tmp_path):
    with pytest.raises(ConfigError, match="checkpoint"):
        train(TINY, tmp_path, resume=True)


def test_a_time_budget_ends_a_run(tmp_path):
    config = PPOConfig(**{**_values(TINY), "iterations": 100000, "minutes": 0.02})
    train(config, tmp_path)
    assert (tmp_path / CHECKPOINT).is_file()


def test_the_actor_commutes_with_the_mirror(tmp_path):
    actor = build_runner(TINY, tmp_path).alg.actor
    x = torch.randn(32, loco.OBSERVATION_SIZE)
    (o_swap, o_sign), (a_swap, a_sign) = loco.mirror_observation(), loco.mirror_action()
    mirrored = x[:, o_swap] * torch.tensor(o_sign, dtype=torch.float32)
    plain, other = actor.mlp(x), actor.mlp(mirrored)
    expected = plain[:, a_swap] * torch.tensor(a_sign, dtype=torch.float32)
    assert plain.abs().max() > 1e-3
    assert torch.allclose(other, expected, atol=1e-6)


def test_the_exported_file_answers_as_the_network(tmp_path):
    train(TINY, tmp_path)
    export_checkpoint("go2-saytap", tmp_path)
    runner = build_runner(TINY, tmp_path)
    runner.load(str(tmp_path / CHECKPOINT))
    policy = PolicyRunner(tmp_path / "policy.onnx", policy_contract(GO2))
    rng = np.random.default_rng(0)
    rows, answers = [], []
    for _ in range(20):
        terms = {name: rng.normal(size=size) for name, size, _ in loco.OBSERVATIONS}
        rows.append(loco.observe(terms))
        answers.append(policy.act(terms))
    with torch.no_grad():
        expected = runner.alg.actor.mlp(torch.tensor(np.array(rows), dtype=torch.float32)).numpy()
    assert np.abs(np.array(answers) - expected).max() < 1e-5
    together = OnnxPolicy(tmp_path / "policy.onnx")(np.array(rows))
    assert np.abs(together - expected).max() < 1e-5


def test_an_actor_of_another_size_is_not_exported(tmp_path):
    runner = build_runner(PPOConfig(task="test-reach", threads=1), tmp_path)
    with pytest.raises(ConfigError, match="65"):
        export_policy(runner.alg.actor, policy_contract(GO2), tmp_path / "policy.onnx")
    assert not (tmp_path / "policy.onnx").exists()


def test_shares_state_their_sample():
    assert wilson(9, 10) == pytest.approx((0.5958, 0.9821), abs=1e-3)
    assert wilson(0, 0) == (0.0, 1.0)
    assert share(500, 500)["wilson95"][0] > 0.99
    assert rounded({"a": [0.123456], "b": 3}) == {"a": [0.1235], "b": 3}


def _values(config):
    return {name: getattr(config, name) for name in PPOConfig.__dataclass_fields__}
