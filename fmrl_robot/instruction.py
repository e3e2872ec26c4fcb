"""What every command asks of an instruction before it does anything with it."""

from __future__ import annotations

from fmrl_robot.errors import ConfigError


def readable(instruction: str) -> str:
    """Return the instruction as it is, or refuse what is no text.

    A command line may hold any bytes. Python keeps those that are not UTF-8 as lone surrogates,
    which no tokenizer, no ROS message and no web page takes.

    Raises:
        ConfigError: it is not UTF-8.
    """
    try:
        instruction.encode()
    except UnicodeEncodeError as error:
        raise ConfigError(
            f"expected an instruction in UTF-8, got {instruction!r}, which is none at character "
            f"{error.start}; type it in a terminal that writes UTF-8, or convert it (iconv)"
        ) from None
    return instruction
