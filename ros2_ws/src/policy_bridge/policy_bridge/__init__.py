"""Policies on ROS 2 topics: a node that stands between the graph and a policy server."""
