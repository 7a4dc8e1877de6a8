"""A Realman controller that is not there: an RM75 with an Inspire gripper behind TCP and UDP."""
