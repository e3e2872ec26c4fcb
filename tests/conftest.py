"""What holds for every test: no network, whatever the machine offers."""

import os

os.environ.setdefault("FMRL_FORBID_NETWORK", "1")
