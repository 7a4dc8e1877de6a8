"""RealSense cameras through pyrealsense2: one on USB, a recording, or an emulated one."""
