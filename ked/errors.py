"""The two ways in which this package refuses: the input is wrong, or something is missing on this machine."""


class InvalidInput(ValueError):
    """A value that the caller gave is wrong; the message is one sentence that names it and what is allowed (CLI exit code 2)."""


class Unavailable(RuntimeError):
    """Data, a file or disk space is missing or damaged; the message is one sentence with the way out (CLI exit code 1)."""
