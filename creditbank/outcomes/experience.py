"""Experience: 顶岗实习, 教师企业实践, 服役."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from creditbank.terms import IssuerId


@dataclass(frozen=True, slots=True, kw_only=True)
class Experience:
    form: (
        str  # as the vocabulary `experience-form` names it: internship, enterprise-practice, military-service
    )
    title: str
    started_on: date
    awarded_on: date  # the day on which it ended
    issuer: IssuerId
    hours: Decimal | None = None
