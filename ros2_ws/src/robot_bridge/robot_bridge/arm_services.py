"""What a person may ask of an arm by ROS services. None of them is an emergency stop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node
from rclpy.task import Future
from std_srvs.srv import SetBool, Trigger

from hardware.arm import TORQUE_OFF, ArmDriver
from robot_bridge.worker import Worker
from touchstone.errors import TouchstoneError, UsageError
from touchstone.safety.states import State

#: the answer to a torque-off that nobody confirmed
UNCONFIRMED = "Without torque the arm falls: hold it, and call again with data: true."


class ArmServices:
    """~/home, ~/sleep, ~/stop, ~/rearm, ~/torque_off and ~/inhibit of one arm.

    go: brings the arm to a pose of `poses` and returns when it stands there. refuse: raises UsageError while nothing
    but the world may move the arm. Whatever takes time is done in `worker`, so that ~/stop never waits for it.
    """

    def __init__(
        self,
        node: Node,
        driver: ArmDriver,
        worker: Worker,
        poses: Mapping[str, tuple[float, ...]],
        go: Callable[[tuple[float, ...]], None],
        refuse: Callable[[str], None],
        operator: str,
    ) -> None:
        self._driver, self._worker, self._go, self._refuse = driver, worker, go, refuse
        self._operator = operator
        # of their own, because a callback that is not done yet holds up those of its group
        slow = MutuallyExclusiveCallbackGroup()
        for name, pose in poses.items():
            act = self._taking_time(partial(self._go_to, name, pose))
            node.create_service(Trigger, f"~/{name}", act, callback_group=slow)
        node.create_service(Trigger, "~/rearm", self._taking_time(self._rearm), callback_group=slow)
        node.create_service(Trigger, "~/stop", partial(_answer, self._stop))
        node.create_service(SetBool, "~/inhibit", self._inhibit)
        node.create_service(SetBool, "~/torque_off", self._torque_off)

    def _go_to(self, name: str, pose: tuple[float, ...]) -> str:
        self._refuse(name)
        self._go(pose)
        return f"The arm stands at its {name} pose."

    def _rearm(self) -> str:
        if not self._operator.strip():
            raise UsageError("Nobody is named who re-arms the arm; give arm_node the parameter `operator`.")
        if self._driver.state().gate != State.STOPPED:
            return "The arm is armed already."
        self._driver.rearm(self._operator)
        return f"The arm holds with torque and moves when it is told to, by the word of {self._operator}."

    def _stop(self) -> str:
        self._driver.stop("an operator called ~/stop")
        return "The arm brakes and holds with torque; ~/rearm lets it move again."

    def _inhibit(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        def act() -> str:
            self._driver.inhibit(request.data)
            return "The arm holds: hands are in the bench." if request.data else "The arm may move."

        return _answer(act, request, response)

    def _torque_off(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        def act() -> str:
            if not request.data:
                raise UsageError(UNCONFIRMED)
            self._driver.torque_off(TORQUE_OFF)
            return "The arm is without torque."

        return _answer(act, request, response)

    def _taking_time(self, act: Callable[[], str]):
        """A service's callback that the executor goes on beside."""

        async def callback(request, response):
            done = Future()

            def job() -> None:
                try:
                    done.set_result(act())
                except TouchstoneError as error:
                    done.set_exception(error)

            self._worker.do(job)
            try:
                told = await done
            except TouchstoneError as error:
                response.success, response.message = False, str(error)
            else:
                response.success, response.message = True, told
            return response

        return callback


def _answer(act: Callable[[], str], _request, response):
    try:
        response.success, response.message = True, act()
    except TouchstoneError as error:
        response.success, response.message = False, str(error)
    return response
