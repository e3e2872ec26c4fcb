"""Instructions for the arm that relate things to each other, or ask in the middle of a story.

The banks are drawn as in arm_phenomena.py: each belongs to a rule that says what it means.
"""

from __future__ import annotations

import random
from collections.abc import Mapping

from fmrl_robot.train.recipes.lm_embedded.arm_acts import CLOSED, OPEN, put_plan
from fmrl_robot.train.recipes.lm_embedded.arm_rules import PRESS, Rule, but, draw_of
from fmrl_robot.train.recipes.lm_embedded.phrases import Example

_RELATIONS: Mapping[str, Rule] = {
    "ref_where": lambda t: put_plan((t.x, f"at_{t.y}")),
    "ref_swap": lambda t: put_plan((t.x, f"at_{t.y}"), (t.y, f"at_{t.x}")),
    "ref_swap_told": lambda t: put_plan((t.x, "table"), (t.y, t.p)),
    "ref_companion_out": lambda t: put_plan((f"each(with_{t.x})", "table")),
    "ref_companion_in": lambda t: put_plan((f"each(with_{t.x})", t.p)),
    "ref_off_table": lambda t: put_plan(("each(off_table)", "table")),
    "ref_missing": lambda t: put_plan((t.w, t.p)),
    "ref_join": lambda t: put_plan(("each(on_table)", t.p)),
    "ref_empty": lambda t: put_plan((t.x, "empty")),
    "ref_told_in": lambda t: put_plan((t.x, t.q)),
    "ref_told_out": lambda t: put_plan((t.x, "table")),
    "ref_other_is": lambda t: put_plan((f"each(in_{t.p})", t.q)),
    "ref_latter_out": lambda t: put_plan((f"each(in_{t.q})", "table")),
    "ref_former_out": lambda t: put_plan((f"each(in_{t.p})", "table")),
    "ref_upper_lower": lambda t: put_plan((t.x, t.p), (t.y, t.q)),
    "ref_upper": lambda t: put_plan((t.x, t.p)),
    "ref_lower": lambda t: put_plan((t.y, t.p)),
    "ref_latter_former": lambda t: put_plan((t.y, t.p), (t.x, t.q)),
    "ref_latter": lambda t: put_plan((t.y, t.p)),
    "ref_former": lambda t: put_plan((t.x, t.p)),
    "ref_nth": lambda t: put_plan((t.y, t.p)),
    "ref_last_of": lambda t: put_plan((t.z, t.p)),
    "ref_likewise": lambda t: put_plan((t.x, t.p), (t.y, t.p), (t.z, t.q)),
    "ref_so_does": lambda t: put_plan((t.x, t.p), (f"each(in_{t.q})", t.p)),
    "ref_label": lambda t: put_plan((t.x, t.p), (t.y, t.q)),
    "ref_label_rest": lambda t: put_plan((t.x, t.p), (but("all", t.x), t.q)),
    "ref_nickname": lambda t: put_plan((t.y, t.p)),
    "ref_nickname_first": lambda t: put_plan((t.x, t.p)),
    "ref_found_on": lambda t: put_plan((f"each(in_{t.q})", t.y)),
    "ref_found_in": lambda t: put_plan((f"each(in_{t.q})", t.p)),
    "ref_found_hold": lambda t: (f"hold(each(in_{t.q}))",),
    "ref_held_where": lambda t: put_plan(("held", f"at_{t.y}")),
    "ref_both_one": lambda t: put_plan((t.x, t.p), (t.y, t.p)),
    "ref_other_stays": lambda t: put_plan((t.x, t.q)),
    "ref_parted": lambda t: put_plan((t.x, t.q), (but(f"in_{t.p}", t.x), "table")),
    "ref_found_top": lambda t: put_plan((t.x, t.y), (f"each(in_{t.p})", t.x)),
    "ref_cleft_on": lambda t: put_plan((t.x, t.y)),
    "ref_cleft_in": lambda t: put_plan((t.x, t.p)),
}

_STORIES: Mapping[str, Rule] = {
    "story_things": lambda t: put_plan((t.x, t.p)),
    "story_things_on": lambda t: put_plan((t.x, t.y)),
    "story_things_hold": lambda t: (f"hold({t.x})",),
    "story_press": lambda t: (PRESS,),
    "story_open": lambda t: (OPEN,),
    "story_history": lambda t: put_plan((t.x, t.p)),
    "story_owner": lambda t: put_plan((t.x, t.p)),
    "story_compare": lambda t: put_plan((t.x, t.p)),
    "story_rule": lambda t: put_plan((t.x, t.p)),
    "story_concession": lambda t: put_plan((t.x, t.p)),
    "story_gone": lambda t: put_plan((t.x, t.p)),
    "story_from": lambda t: put_plan((t.x, "table")),
    "story_broken_place": lambda t: put_plan((t.x, t.p)),
    "story_stay": lambda t: put_plan((t.x, t.p)),
    "story_done_already": lambda t: put_plan((t.x, t.p)),
    "story_not_ours": lambda t: put_plan((t.x, t.p)),
    "story_settled": lambda t: put_plan((t.x, t.p)),
    "story_table_of_duties": lambda t: put_plan((t.x, t.p)),
    "story_measure": lambda t: put_plan((t.x, t.p)),
    "story_scenery_on": lambda t: put_plan((t.x, t.y)),
    "story_lost_cube": lambda t: put_plan((t.x, "table")),
    "story_wish_of_others": lambda t: put_plan((t.x, t.p)),
    "neg_drawer_nothing": lambda t: (OPEN,),
    "neg_drawer_state_open": lambda t: (OPEN,),
    "neg_drawer_state_close": lambda t: (CLOSED,),
    "neg_press_only_put": lambda t: put_plan((t.x, t.p)),
    "seq_countdown": lambda t: put_plan((t.x, t.p), (t.y, t.p), (t.z, t.p)),
    "seq_fill_press": lambda t: (*put_plan((t.x, t.p), (t.y, t.p)), PRESS),
    "seq_needs": lambda t: (*put_plan((t.x, "drawer")), CLOSED, *put_plan((t.y, t.q))),
    "seq_drawer_two": lambda t: put_plan((t.x, "drawer"), (t.y, "drawer")),
    "seq_drawer_two_shut": lambda t: (*put_plan((t.x, "drawer"), (t.y, "drawer")), CLOSED),
    "seq_towers": lambda t: put_plan((t.x, t.y), (t.z, t.w)),
    "seq_before_stack": lambda t: put_plan((t.z, t.p), (t.x, t.y)),
    "seq_press_between": lambda t: (*put_plan((t.x, t.p)), PRESS, *put_plan((t.y, t.p))),
    "seq_four": lambda t: put_plan((t.x, t.p), (t.y, t.p), (t.z, t.q), (t.w, t.q)),
}


def relations(rng: random.Random) -> Example:
    """Things named by their place, their order of mention or what else is said of them."""
    return draw_of(_RELATIONS, rng)


def stories(rng: random.Random) -> Example:
    """One task among idle talk of other things, and several told out of order."""
    return draw_of(_STORIES, rng)
