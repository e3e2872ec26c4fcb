"""Generalised advantages, discounted by time: actions of a semi-MDP last as long as they last.

References: Schulman et al.: High-Dimensional Continuous Control Using Generalized Advantage
Estimation (ICLR 2016); Sutton, Precup, Singh: Between MDPs and semi-MDPs (1999): what follows an
action of k steps is discounted by gamma to the power of k. Lambda counts decisions, as in TWOSOME.
"""

from __future__ import annotations

import torch
from torch import Tensor


def discounts(gamma: float, duration: Tensor | None) -> float | Tensor:
    """What one decision is discounted by: gamma, or gamma to the power of its steps of control."""
    return gamma if duration is None else gamma ** duration.float()


def advantages(
    reward: Tensor,
    value: Tensor,
    last: Tensor,
    done: Tensor,
    time_out: Tensor,
    *,
    discount: float | Tensor,
    lam: float,
    known: Tensor | None = None,
) -> Tensor:
    """Estimate how much better each action was than what the critic expected, (steps, n).

    The observation after an end is never seen, so the end of time is bootstrapped from the one
    before it, as in rsl_rl.

    Args:
        reward: of each action, that of several steps already discounted among themselves,
            (steps, n).
        value: of what was seen before each action, (steps, n).
        last: of what is seen after the last one, (n,).
        done: whether the episode ended with an action, bool (steps, n).
        time_out: ends that are only the end of time, bool (steps, n).
        discount: of what follows an action; a number for all, or (steps, n).
        lam: weight of longer estimates, a decision.
        known: whether anything is known of each reward, bool (steps, n); one that is not counts as
            what the critic expected. None: all are.
    """
    reward = reward + discount * value * time_out
    goes_on = (~done).float()
    estimate = torch.zeros_like(reward)
    after, running = last, torch.zeros_like(last)
    for t in reversed(range(len(reward))):
        factor = discount[t] if isinstance(discount, Tensor) else discount
        delta = reward[t] + factor * goes_on[t] * after - value[t]
        if known is not None:
            delta = torch.where(known[t], delta, 0.0)
        running = delta + factor * lam * goes_on[t] * running
        estimate[t], after = running, value[t]
    return estimate


def returns(reward: Tensor, done: Tensor, *, discount: float | Tensor) -> Tensor:
    """Discounted sums of what was got until an end or the last step, (steps, n)."""
    running = torch.zeros_like(reward[0])
    found = torch.zeros_like(reward)
    for t in reversed(range(len(reward))):
        factor = discount[t] if isinstance(discount, Tensor) else discount
        running = reward[t] + factor * ~done[t] * running
        found[t] = running
    return found
