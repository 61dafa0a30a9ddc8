"""Loyalty: how satisfaction and what customers do hang together, and where a point more pays."""

from cxlab.loyalty._chain import service_profit_chain as service_profit_chain
from cxlab.loyalty._chain_result import ServiceProfitResult as ServiceProfitResult
from cxlab.loyalty._intention import intention_behaviour as intention_behaviour
from cxlab.loyalty._intention_result import IntentionResult as IntentionResult
from cxlab.loyalty._link import loyalty_link as loyalty_link
from cxlab.loyalty._link_result import LoyaltyLinkResult as LoyaltyLinkResult
from cxlab.loyalty._map import loyalty_map as loyalty_map
from cxlab.loyalty._map_result import LoyaltyMapResult as LoyaltyMapResult
from cxlab.loyalty._money import value_of_a_point as value_of_a_point
from cxlab.loyalty._money_result import ValueResult as ValueResult
from cxlab.loyalty._moving import MovingCurve as MovingCurve
from cxlab.loyalty._moving import ScoreCube as ScoreCube
from cxlab.loyalty._moving import score_cube as score_cube
from cxlab.loyalty._survival import survival as survival
from cxlab.loyalty._survival_result import SurvivalResult as SurvivalResult
