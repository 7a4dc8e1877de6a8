"""A RealSense that is not there: a software device of librealsense, fed from shared memory. USB is not emulated."""
