"""By what `verify` knows a run of check-trust and its parts. The template says the same; a test holds it to that."""

from __future__ import annotations

#: The steps of a job: its name, and the word that the probe takes for it.
STEPS = (("Exchange the token", "exchange"), ("Reach the projects", "projects"))
TITLE = "Check {environment}"
RUN_NAME = "Check trust {nonce}"
