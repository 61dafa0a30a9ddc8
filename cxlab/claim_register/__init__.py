"""Claims: what is said of customer experience, tested on the study's own data."""

from cxlab.claim_register._claims import claims as claims
from cxlab.claim_register._result import ClaimsResult as ClaimsResult
