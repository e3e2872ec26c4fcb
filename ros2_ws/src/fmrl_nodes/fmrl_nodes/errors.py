"""The one error of what comes in: a message that means nothing.

Conversions raise it, subscriptions drop what it names (``listening``). Everything else that leaves
a callback is a fault of this program and ends its process, so that nobody takes it for weather.
"""

from __future__ import annotations


class BadMessage(ValueError):
    """A message from outside that cannot be used; whoever publishes it has to mend it."""
