"""Loyalty: how satisfaction and what customers do hang together, and where a point more pays."""

from cxlab.loyalty._link import loyalty_link as loyalty_link
from cxlab.loyalty._link_result import LoyaltyLinkResult as LoyaltyLinkResult
