"""The subcommands of ``fmrl``, a module each, whose ``main(arguments)`` returns the exit code."""
