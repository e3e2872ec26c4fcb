"""What our back ends cost beside the plain library call: language, vision, plans.

The plain call is what a person would write with transformers or open_clip alone: the same
tokenizer, module, precision and threads, no grammar, no accounting.
"""

import os
import sys
from pathlib import Path

# Read when torch is imported, as fmrl_robot.fm sets it itself.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# The random models are those of the tests.
sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
