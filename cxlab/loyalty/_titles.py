"""Titles of pictures that say the finding."""

from cxlab.charts import broken as broken
from cxlab.charts import set_finding as set_finding
