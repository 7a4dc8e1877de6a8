"""Finds a policy by its registered name, as `module:Class`, or by an address whose scheme is registered."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from functools import partial

from touchstone.errors import TouchstoneError, UsageError
from touchstone.policy import Policy, PolicyContract
from touchstone.registry import POLICIES, POLICY_SCHEMES, load


def load_policy(name: str) -> Policy:
    """A new policy. name: a registered one, `module:Class` with modules of the current folder importable, or an address
    such as `tcp://127.0.0.1:5555` or `lerobot:///checkpoints/act`.

    Raises UsageError, in one sentence, when there is no such policy or it cannot be made.
    """
    try:
        policy = _factory(name)()
    except TouchstoneError:
        raise
    except Exception as error:
        raise UsageError(f"Policy '{name}' could not be made: {type(error).__name__}: {error}.") from error
    if not isinstance(getattr(policy, "contract", None), PolicyContract):
        raise UsageError(f"'{name}' is no policy: it has no `contract` of type PolicyContract.")
    for method in ("infer", "reset"):
        if not callable(getattr(policy, method, None)):
            raise UsageError(f"'{name}' is no policy: it has no method `{method}`.")
    return policy


def check_known(name: str) -> None:
    """Raises UsageError for what can be told to be no policy without loading it."""
    if ":" not in name:
        load(POLICIES, name)


def _factory(name: str) -> Callable[[], Policy]:
    scheme, separator, _ = name.partition("://")
    if separator:
        return partial(load(POLICY_SCHEMES, scheme), name)
    return _from_module(name) if ":" in name else load(POLICIES, name)


def _from_module(name: str):
    module_name, _, attribute = name.partition(":")
    if not all(part.isidentifier() for part in module_name.split(".")) or not attribute.isidentifier():
        raise UsageError(f"'{name}' is neither a policy's name nor written like my_module:MyPolicy.")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and (module_name + ".").startswith(error.name + "."):
            raise UsageError(f"There is no module '{module_name}' here; start in the folder that holds it.") from error
        raise UsageError(f"Module '{module_name}' needs '{error.name}', which is not installed.") from error
    except Exception as error:
        raise UsageError(f"Module '{module_name}' could not be imported: {type(error).__name__}: {error}.") from error
    factory = getattr(module, attribute, None)
    if not callable(factory):
        raise UsageError(f"Module '{module_name}' has no class '{attribute}'.")
    return factory
