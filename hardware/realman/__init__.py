"""The Realman RM75 behind its controller, with an Inspire gripper."""
