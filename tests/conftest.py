"""What holds for every test: no network, whatever the machine offers."""

import contextlib
import os

# Read when torch is imported: threads that spin while they wait make busy machines crawl.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

with contextlib.suppress(ImportError):
    # Its LLVM has to be loaded before that of Mesa's software renderer; the other order crashes.
    import triton  # noqa: F401

os.environ.setdefault("FMRL_FORBID_NETWORK", "1")
