"""What a user is told when something cannot be done: one sentence with what, where and what to do.

The command line prints the sentence and exits with `exit_code`; a traceback means a bug of ours.
"""


class TouchstoneError(Exception):
    """Something the user or the machine must change; its text is one complete sentence."""

    exit_code = 1


class UsageError(TouchstoneError):
    """The request itself is wrong (unknown name, bad value, unwritable folder, unreachable server)."""

    exit_code = 2


class ContractMismatch(UsageError):
    """A policy and a world do not fit together; raised at connect, before anything moves."""


class MissingPart(UsageError):
    """A part of the machine is not there (font, Vulkan device, package); says how to get it."""


class PolicyFailure(TouchstoneError):
    """The policy raised, answered nonsense, or its server is gone."""


class DeadlineExceeded(PolicyFailure):
    """No answer came inside the budget."""


class WorldFailure(TouchstoneError):
    """The world stopped answering or cannot do what was asked."""
