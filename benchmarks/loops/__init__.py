"""Parts of benchmarks/control_loop.py."""
