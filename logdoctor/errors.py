"""The one family of errors that a user may see; each class owns its exit code.

Every message is one clear sentence: what is wrong, where, and what to do about it.
"""

from __future__ import annotations


class LogDoctorError(Exception):
    """Base of all errors that end a command with one sentence and no traceback."""

    exit_code = 2


class UsageError(LogDoctorError):
    """The command line or the call is wrong."""


class SettingsError(LogDoctorError):
    """The settings of the tool cannot be read or hold an unknown key."""


class InputError(LogDoctorError):
    """A log, a configuration file or a saved report cannot be read."""


class MissingExtraError(LogDoctorError):
    """An optional extra is needed and not installed."""

    def __init__(self, what: str, extra: str) -> None:
        """Name what was asked for (``what``) and the extra that provides it."""
        super().__init__(f"{what} needs an optional extra: python -m pip install 'logdoctor[{extra}]'")
        self.extra = extra


class NothingToJudgeError(LogDoctorError):
    """Nothing in the input could be judged; a gate must not go green on it."""

    exit_code = 3
