"""How hypothesis runs: always the same examples, so that green stays green; `make test-long` looks for new ones."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# a busy machine is no failure
settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("searching", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))
