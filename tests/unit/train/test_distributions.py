"""Parts of a policy: distributions against torch's own, and choices that are not there."""

import math

import pytest
import torch

from fmrl_robot.train.distributions import (
    CategoricalHead,
    GaussianHead,
    SquashedGaussian,
    masked_categorical,
)


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def gaussians():
    heads = GaussianHead(3, 0.5), GaussianHead(3, 0.8)
    with torch.no_grad():
        heads[0].log_std += torch.tensor([0.1, -0.2, 0.3])
    means = torch.randn(2, 5, 3, generator=rng())
    mine = [head(mean) for head, mean in zip(heads, means, strict=True)]
    theirs = [
        torch.distributions.Independent(torch.distributions.Normal(g.mean, g.std), 1) for g in mine
    ]
    return mine, theirs


def test_a_gaussian_is_torchs():
    (one, other), (plain, plain_other) = gaussians()
    actions = one.sample(rng(1))
    # The constant is left out: ratios do not need it.
    constant = 1.5 * math.log(2.0 * math.pi)
    torch.testing.assert_close(one.log_prob(actions) - constant, plain.log_prob(actions))
    torch.testing.assert_close(one.entropy().expand(5), plain.entropy())
    torch.testing.assert_close(
        one.divergence(other), torch.distributions.kl_divergence(plain, plain_other)
    )
    assert torch.equal(one.mode(), one.mean)


def test_a_squashed_gaussian_is_torchs():
    mean, log_std = torch.randn(2, 4, 3, generator=rng())
    mine = SquashedGaussian(mean, log_std)
    action, density = mine.draw(rng(2))
    plain = torch.distributions.TransformedDistribution(
        torch.distributions.Normal(mean, log_std.exp()), torch.distributions.TanhTransform()
    )
    inside = action.abs().amax(-1) < 0.99  # nearer to the edge torch's inverse loses digits
    assert inside.sum() >= 2
    torch.testing.assert_close(
        density[inside], plain.log_prob(action).sum(-1)[inside], atol=1e-3, rtol=1e-3
    )
    torch.testing.assert_close(mine.mode(), torch.tanh(mean))


def test_masked_choices_are_torchs_over_those_that_are_left():
    logits, other = torch.randn(2, 6, 4, generator=rng())
    admissible = torch.rand(6, 4, generator=rng(3)) < 0.6
    admissible[:, 1] = True
    mine, theirs = (masked_categorical(x, admissible) for x in (logits, other))
    for i in range(6):
        left = admissible[i].nonzero()[:, 0]
        one, two = (torch.distributions.Categorical(logits=x[i, left]) for x in (logits, other))
        torch.testing.assert_close(mine.entropy()[i], one.entropy())
        torch.testing.assert_close(
            mine.divergence(theirs)[i], torch.distributions.kl_divergence(one, two)
        )
        for j, choice in enumerate(left):
            torch.testing.assert_close(
                mine.log_prob(choice.expand(6))[i], one.log_prob(torch.tensor(j))
            )
        assert admissible[i, mine.mode()[i]]


def test_what_is_not_admissible_is_never_drawn_and_gets_no_gradient():
    logits = torch.zeros(4000, 3)
    logits[:, 2] = 50.0  # as likely as can be, were it there
    logits.requires_grad_()
    admissible = torch.tensor([True, True, False]).expand(4000, 3)
    policy = CategoricalHead(3)(logits, admissible)
    drawn = policy.sample(rng())
    assert drawn.unique().tolist() == [0, 1]
    assert 0.45 < drawn.float().mean() < 0.55
    (policy.entropy().sum() + policy.log_prob(drawn).sum()).backward()
    assert torch.isfinite(logits.grad).all()
    assert not logits.grad[:, 2].any()


def test_no_choice_at_all_is_an_error():
    admissible = torch.tensor([[True, False], [False, False]])
    with pytest.raises(ValueError, match="none of 1"):
        masked_categorical(torch.zeros(2, 2), admissible)
