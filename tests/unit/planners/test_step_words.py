from fmrl_robot.fm.grammar import accepts
from fmrl_robot.planners import plan_language
from fmrl_robot.planners.step_words import NEXT_GRAMMAR, WORDS_GRAMMAR, next_prompt, say_steps

PLAN = (
    "ensure_open(drawer);put(each(all-red_cube-blue_cube),drawer);put(any(2,in_bowl),top);"
    "stack(red_cube,blue_cube,green_cube);hold(each(on_red_cube));put(held,bin);press(button)"
)


def test_a_plan_reads_as_a_list_of_skills():
    words = say_steps(plan_language.parse(PLAN))
    assert words == (
        "open the drawer; put every cube but the blue cube and the red cube in the drawer; "
        "put two cube in the bowl on the top of the tower; stack the red cube, then the blue cube, "
        "then the green cube; pick up every cube on the red cube; "
        "put what the gripper holds in the bin; press the button"
    )
    assert accepts(WORDS_GRAMMAR, words)


def test_history_stands_behind_the_instruction():
    assert next_prompt("tidy up", ()) == "tidy up | nothing yet."
    said = next_prompt("tidy up", [("hold(red_cube)", False), ("hold(red_cube)", True)])
    assert said == "tidy up | hold(red_cube) failed. hold(red_cube) ok."


def test_one_next_step_or_done_and_nothing_longer():
    for text in ("done", "press(button)", "refuse(unsafe)"):
        assert accepts(NEXT_GRAMMAR, text)
    assert not accepts(NEXT_GRAMMAR, "press(button);press(button)")
