"""What holds for every test: no network, and probes that speak as the nodes do."""

import contextlib
import os
from pathlib import Path

# Read when torch is imported: threads that spin while they wait make busy machines crawl.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

with contextlib.suppress(ImportError):
    # Its LLVM has to be loaded before that of Mesa's software renderer; the other order crashes.
    import triton  # noqa: F401

with contextlib.suppress(ImportError):
    from hypothesis import settings

    # How long one example takes is the machine's affair; pytest bounds the test.
    settings.register_profile("suite", deadline=None)
    settings.load_profile("suite")

os.environ.setdefault("FMRL_FORBID_NETWORK", "1")

PROFILES = Path(__file__).parents[1] / "ros2_ws/src/fmrl_bringup/config/fastdds"
# In shared memory a probe would be held up by whatever a test kills.
os.environ.setdefault("FASTDDS_DEFAULT_PROFILES_FILE", str(PROFILES / "LOCALHOST.xml"))

pytest_plugins = ["shared_graph"]
