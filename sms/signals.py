"""Wakes the next stage of the same process as soon as there is work; other processes poll."""

import threading


class Signal:
    """A bell: rung by whoever made work, heard by the stage that waits for it."""

    def __init__(self) -> None:
        self._bell = threading.Event()

    def ring(self) -> None:
        """Tell the waiting stage that there is work."""
        self._bell.set()

    def wait(self, seconds: float) -> None:
        """Wait until rung, at most so long, and be ready to be rung again."""
        self._bell.wait(seconds)
        self._bell.clear()
