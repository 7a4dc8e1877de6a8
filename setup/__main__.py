"""`python -I setup`: brings this machine and this checkout to where the main job runs. Run by `make`."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from touchstone_setup.flow import main  # noqa: E402  (needs the line above)

sys.exit(main(ROOT))
