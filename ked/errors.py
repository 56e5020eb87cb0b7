"""The two ways in which this package refuses: the input is wrong, or something is missing on this machine."""


class InvalidInput(ValueError):
    """A value that the caller gave is wrong: one sentence that names it and what is allowed (exit code 2)."""


class Unavailable(RuntimeError):
    """Data, a file or disk space is missing or damaged: one sentence with the way out (exit code 1)."""
