"""verify: what is live, and what jobs found, against what is declared: findings. Pure; must not look or run anything.

`live` compares resources, `jobs` judges the results of a run.
"""

from __future__ import annotations

from trustsmith.verify.jobs import Wanted, job_findings, missing_result, unread_log
from trustsmith.verify.live import live_findings

__all__ = ["Wanted", "job_findings", "live_findings", "missing_result", "unread_log"]
