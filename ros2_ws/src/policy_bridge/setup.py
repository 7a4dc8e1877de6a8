"""Serves pip and colcon alike."""

from setuptools import find_packages, setup

package = "policy_bridge"

setup(
    name=package,
    version="0.1.0",
    description="Stands between the ROS graph and a policy server.",
    license="Apache-2.0",
    packages=find_packages(),
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{package}"]),
        (f"share/{package}", ["package.xml"]),
    ],
    entry_points={"console_scripts": ["policy_node = policy_bridge.policy_node:main"]},
    zip_safe=True,
)
