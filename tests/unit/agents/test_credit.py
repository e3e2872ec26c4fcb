"""Credit by hand: what units of a decision get adds up to what the decision is worth."""

import pytest
import torch

from fmrl_robot.agents.credit import unit_advantages
from fmrl_robot.train.advantages import advantages

GAMMA = 0.9


def rng():
    return torch.Generator().manual_seed(0)


def random_case(steps=5, n=4, width=3):
    mask = torch.arange(width) < torch.randint(1, width + 1, (steps, n, 1), generator=rng())
    value = torch.randn(steps, n, width, generator=rng()) * mask
    reward, last = torch.randn(steps, n, generator=rng()), torch.randn(n, generator=rng())
    done = torch.rand(steps, n, generator=rng()) < 0.3
    time_out = done & (torch.rand(steps, n, generator=rng()) < 0.5)
    discount = GAMMA ** torch.randint(1, 4, (steps, n), generator=rng()).float()
    return reward, value, mask, last, done, time_out, discount


def test_one_unit_a_decision_is_an_ordinary_advantage():
    reward, value, _, last, done, time_out, discount = random_case()
    one = torch.ones(*reward.shape, 1, dtype=torch.bool)
    got = unit_advantages(
        reward, value[:, :, :1], one, last, done, time_out, discount=discount, lam=0.8
    )
    want = advantages(reward, value[:, :, 0], last, done, time_out, discount=discount, lam=0.8)
    torch.testing.assert_close(got[:, :, 0], want)


def differences(between, **case):
    """With lambda 0 the estimate of a unit is its temporal difference."""
    reward, value, mask, last, done, time_out, discount = random_case(**case)
    deltas = unit_advantages(
        reward, value, mask, last, done, time_out, discount=discount, lam=0.0, between=between
    )
    after = torch.cat([value[1:, :, 0], last[None]])
    whole = reward + discount * value[:, :, 0] * time_out
    whole = whole + discount * ~done * after - value[:, :, 0]
    return deltas.sum(-1), whole, mask


def test_differences_of_tokens_add_up_to_that_of_the_decision_whatever_the_critic_says():
    found, whole, _ = differences(between=1.0)
    torch.testing.assert_close(found, whole)


def test_the_naive_backup_does_not_add_up():
    found, whole, mask = differences(between=GAMMA)
    several = mask.sum(-1) > 1
    torch.testing.assert_close(found[~several], whole[~several])
    assert (found[several] - whole[several]).abs().min() > 1e-4


def test_by_hand():
    """Two decisions, of two tokens and of one, the first lasting two steps."""
    value = torch.tensor([[[0.5, 0.2]], [[1.0, 0.0]]])
    mask = torch.tensor([[[True, True]], [[True, False]]])
    got = unit_advantages(
        torch.tensor([[1.0], [3.0]]), value, mask, torch.tensor([2.0]),
        torch.zeros(2, 1, dtype=torch.bool), torch.zeros(2, 1, dtype=torch.bool),
        discount=torch.tensor([[0.81], [0.9]]), lam=0.5,
    )  # fmt: skip
    second = 3.0 + 0.9 * 2.0 - 1.0
    end = 1.0 + 0.81 * 1.0 - 0.2 + 0.81 * 0.5 * second
    begin = 0.2 - 0.5 + 0.5 * end
    assert got.flatten().tolist() == pytest.approx([begin, end, second, 0.0])
