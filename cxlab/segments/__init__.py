"""Segments: how groups differ, what their total hides, who they are and what they are worth."""

from cxlab.segments._compare import compare_segments as compare_segments
from cxlab.segments._compare_result import CompareResult as CompareResult
from cxlab.segments._crisis import FLAT_SHARE as FLAT_SHARE
from cxlab.segments._crisis import hidden_crisis as hidden_crisis
from cxlab.segments._crisis_result import CrisisResult as CrisisResult
from cxlab.segments._crisis_table import FLAT_LEVEL as FLAT_LEVEL
from cxlab.segments._pyramid import PyramidResult as PyramidResult
from cxlab.segments._pyramid import customer_pyramid as customer_pyramid
from cxlab.segments._types import customer_types as customer_types
from cxlab.segments._types_result import TypesResult as TypesResult
