"""An independent reading of the instruction, between plan and motion."""
