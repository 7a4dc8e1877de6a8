"""Serves pip and colcon alike."""

from setuptools import find_packages, setup

package = "robot_bridge"

setup(
    name=package,
    version="0.1.0",
    description="Worlds on ROS 2 topics: a twin, an arm or a camera behind the names and messages of a bench.",
    license="Apache-2.0",
    packages=find_packages(),
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{package}"]),
        (f"share/{package}", ["package.xml"]),
    ],
    entry_points={
        "console_scripts": [
            "arm_node = robot_bridge.arm_node:main",
            "arm_service = robot_bridge.arm_service:main",
            "camera_node = robot_bridge.camera_node:main",
            "twin_node = robot_bridge.twin_node:main",
        ]
    },
    zip_safe=True,
)
