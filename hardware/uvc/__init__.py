"""Plain USB cameras through OpenCV and the kernel's V4L2 driver; no depth."""
