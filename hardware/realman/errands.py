"""What waits for answers, in threads of its own: setpoints wait for nobody, and stops for no question."""

from __future__ import annotations

import threading

from hardware.realman.controller import Controller, ControllerFailure, ControllerGone
from hardware.realman.sensing import GRIPPER, Senses
from touchstone.clock import Clock

EVERY = 0.2  # [s] between two looks at the gripper, and until what failed is done again
PATIENCE = 2  # looks in a row without an answer until the gripper counts as missing


class Errands:
    """Stops, grips and looks at the gripper; what fails is done again. gone: the link is lost."""

    def __init__(self, controller: Controller, senses: Senses, clock: Clock) -> None:
        self.gone: ControllerGone | None = None
        self._controller, self._senses, self._clock = controller, senses, clock
        self._grip: tuple[float, float] | None = None
        self._unanswered = 0
        self._ending = False
        self._wake, self._stop = threading.Event(), threading.Event()
        self._stopping = False
        self._threads = [
            threading.Thread(target=run, name=f"realman-{name}", daemon=True)
            for name, run in (("errands", self._run), ("stops", self._run_stops))
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def finish(self) -> None:
        self._ending = True
        self._wake.set()
        self._stop.set()
        for thread in self._threads:
            thread.join()

    @property
    def stopping(self) -> bool:
        """A stop is not answered yet."""
        return self._stop.is_set() or self._stopping

    def stop_arm(self) -> None:
        """Until the controller has said that it did."""
        self._grip = None
        self._stop.set()

    def grip(self, opening: float, force: float) -> None:
        """The newest wish counts."""
        self._grip = (opening, force)
        self._wake.set()

    def look(self) -> None:
        """Reads the gripper. Raises ControllerFailure or ControllerGone."""
        self._senses.gripper_reading = reading = self._controller.gripper()
        self._unanswered = 0
        self._senses.missing = () if reading.online else (GRIPPER,)

    def _run(self) -> None:
        looked = -EVERY
        while not self._ending and self.gone is None:
            try:
                wish = self._grip
                if wish is not None:
                    self._controller.grip(*wish)
                    self._grip = None if self._grip is wish else self._grip
                if self._clock.now() - looked >= EVERY:
                    looked = self._clock.now()
                    self.look()
            except ControllerGone as gone:
                self.gone = gone
            except ControllerFailure:
                self._count_silence()
            self._wake.wait(self._clock.real(EVERY))
            self._wake.clear()

    def _run_stops(self) -> None:
        while self._stop.wait() and not self._ending:
            self._stopping = True
            self._stop.clear()
            try:
                self._controller.stop()
            except ControllerGone as gone:
                self.gone = gone
                return
            except ControllerFailure:
                self._stop.set()
                self._clock.sleep(EVERY)
            self._stopping = False

    def _count_silence(self) -> None:
        self._unanswered += 1
        if self._unanswered >= PATIENCE:
            self._senses.missing = (GRIPPER,)
