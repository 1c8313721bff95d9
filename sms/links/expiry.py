"""Warns before an assessment ends: a link without one carries HELP and DOWN only."""

from core import log, metrics
from core.clock import Clock
from sms.links import assessments
from sms.links.assessments import Standing
from sms.links.model import LinkState
from sms.links.registry import LinkRegistry

_log = log.get_logger(__name__)


class Warner:
    """Raises an alarm for each link once 30 days before the end, once 7 days before, and then."""

    def __init__(self, links: LinkRegistry, clock: Clock) -> None:
        self._links = links
        self._clock = clock
        self._told: dict[str, Standing] = {}

    def warn_of_assessments(self) -> None:
        """Look at every link that is used."""
        now = self._clock.now()
        for link in self._links.all():
            is_used = link.state is LinkState.ACTIVE
            standing = assessments.standing(link.assessed_until, now)
            if is_used and standing.is_warning and self._told.get(link.code) is not standing:
                metrics.ALARMS.labels("assessment-ends").inc()
                _log.warning("link.assessment_ends", link=link.code, state=standing)
            self._told[link.code] = standing
