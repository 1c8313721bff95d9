"""Gives threads names that the kernel knows, so that CPU can be told by stage from outside."""

import ctypes
import sys
import threading

_PR_SET_NAME = 15
_LONGEST = 15
_named = threading.local()


def name_thread(name: str) -> None:
    """Let the kernel call the present thread *name*; elsewhere than on Linux, do nothing."""
    if getattr(_named, "name", None) == name or sys.platform != "linux":
        return
    _named.name = name
    ctypes.CDLL(None).prctl(_PR_SET_NAME, name[:_LONGEST].encode(), 0, 0, 0)
