"""`interbotix_xs_msgs`, which comes with Interbotix's own packages and with nothing else."""

from __future__ import annotations

from typing import Any

from touchstone.errors import MissingPart


class Messages:
    """The message and service types that the bridge speaks. Raises MissingPart where they are not installed."""

    def __init__(self) -> None:
        try:
            from interbotix_xs_msgs import msg, srv
        except ImportError as error:
            raise MissingPart(
                "Interbotix's messages (interbotix_xs_msgs) are not installed here; start arm_node where Interbotix's "
                "ROS 2 packages are, with their workspace sourced, or take the driver of the arm's own port."
            ) from error
        self.JointGroupCommand: Any = msg.JointGroupCommand
        self.JointSingleCommand: Any = msg.JointSingleCommand
        self.OperatingModes: Any = srv.OperatingModes
        self.RegisterValues: Any = srv.RegisterValues
        self.RobotInfo: Any = srv.RobotInfo
        self.TorqueEnable: Any = srv.TorqueEnable
