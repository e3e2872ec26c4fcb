"""Advantages by hand: actions that last are discounted by the time that they take."""

import pytest
import torch

from fmrl_robot.train.advantages import advantages, discounts, returns
from fmrl_robot.train.learner import Rollout
from fmrl_robot.train.replay import Replay

NO = torch.zeros(3, 1, dtype=torch.bool)


def column(*numbers):
    return torch.tensor(numbers, dtype=torch.float32)[:, None]


def estimated(durations, done=NO, time_out=NO, lam=0.5):
    return advantages(
        column(1.0, 0.0, 2.0), column(0.5, 1.0, 0.25), torch.tensor([4.0]), done, time_out,
        discount=discounts(0.9, durations), lam=lam,
    )[:, 0].tolist()  # fmt: skip


def test_by_hand():
    # Steps of 2, 1 and 3: discounts .81, .9, .729.
    last = 2.0 + 0.729 * 4.0 - 0.25
    middle = 0.0 + 0.9 * 0.25 - 1.0 + 0.9 * 0.5 * last
    first = 1.0 + 0.81 * 1.0 - 0.5 + 0.81 * 0.5 * middle
    assert estimated(column(2, 1, 3)) == pytest.approx([first, middle, last])


def test_one_step_each_is_what_no_durations_are():
    assert estimated(column(1, 1, 1)) == pytest.approx(estimated(None))


def test_an_end_is_worth_what_it_gave_and_the_end_of_time_what_was_expected():
    done = torch.tensor([[False], [True], [False]])
    fell = estimated(column(2, 1, 3), done)
    assert fell[1] == pytest.approx(0.0 - 1.0)
    late = estimated(column(2, 5, 3), done, time_out=done)
    assert late[1] == pytest.approx(0.9**5 * 1.0 - 1.0)


def test_returns_by_hand():
    done = torch.tensor([[False], [True], [False]])
    got = returns(column(1.0, 3.0, 2.0), done, discount=discounts(0.9, column(2, 1, 3)))
    assert got[:, 0].tolist() == pytest.approx([1.0 + 0.81 * 3.0, 3.0, 2.0])


@pytest.mark.parametrize("durations", [None, (2, 1, 3, 1)])
def test_replayed_windows_are_discounted_by_time_too(durations):
    """Off-policy learners: the brother of the advantages."""
    steps = torch.arange(4.0)[:, None]
    replay = Replay(4, window=2, gamma=0.9)
    replay.add(
        Rollout(
            policy=steps[..., None], critic=steps[..., None], output=steps, action=steps,
            reward=column(1.0, 2.0, 3.0, 4.0), done=torch.zeros(4, 1, dtype=torch.bool),
            time_out=torch.zeros(4, 1, dtype=torch.bool), last=torch.tensor([[4.0]]),
            duration=None if durations is None else column(*durations),
        )
    )  # fmt: skip
    batch = replay.sample(50, torch.Generator().manual_seed(0))
    passed = (1, 1, 1, 1) if durations is None else durations
    for start, reward, discount in zip(
        batch["policy"][:, 0].int().tolist(), batch["reward"], batch["discount"], strict=True
    ):
        want = start + 1.0 + 0.9 ** passed[start] * (start + 2.0)
        assert float(reward) == pytest.approx(want)
        assert float(discount) == pytest.approx(0.9 ** (passed[start] + passed[start + 1]))
