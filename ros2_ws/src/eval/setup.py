"""Serves pip and colcon alike."""

from setuptools import find_packages, setup

package = "eval"

setup(
    name=package,
    version="0.1.0",
    description="Evaluates policies over ROS 2: the episode node, the launch files and the supervisor.",
    license="Apache-2.0",
    packages=find_packages(),
    package_data={package: ["config/*.xml"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{package}"]),
        (f"share/{package}", ["package.xml"]),
        (f"share/{package}/launch", ["launch/touch_emoji.launch.py"]),
        (f"share/{package}/config", ["eval/config/fastdds_shm.xml"]),
    ],
    entry_points={
        "console_scripts": ["episode_node = eval.episode_node:main"],
        "touchstone.stacks": [
            "twin-ros = eval.supervisor:run",
            "emulated = eval.supervisor:run",
            "real = eval.supervisor:run",
        ],
    },
    zip_safe=False,
)
