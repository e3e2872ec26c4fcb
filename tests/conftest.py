"""What holds for every test: no network, whatever the machine offers."""

import contextlib
import os

with contextlib.suppress(ImportError):
    # Its LLVM has to be loaded before that of Mesa's software renderer; the other order crashes.
    import triton  # noqa: F401

os.environ.setdefault("FMRL_FORBID_NETWORK", "1")
