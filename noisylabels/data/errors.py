"""The one exception a user's mistake raises."""


class InputError(ValueError):
    """What was given cannot be used; the message says what must hold, what was got and what to do.

    The command line prints the message alone and exits with code 2. Any other exception is a fault of
    the program and keeps its traceback.

    Examples:
        >>> raise InputError("rate must be in [0, 1], got 5. For 5 % write 0.05.")
        Traceback (most recent call last):
        ...
        noisylabels.data.errors.InputError: rate must be in [0, 1], got 5. For 5 % write 0.05.
    """
