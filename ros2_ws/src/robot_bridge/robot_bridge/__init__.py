"""Worlds on ROS 2 topics: the messages of the graph, and the nodes that own an arm, a camera or a twin."""
