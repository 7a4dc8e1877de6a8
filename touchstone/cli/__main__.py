"""`python -m touchstone.cli`, for processes that must run with a given interpreter."""

from touchstone.cli import main

main()
