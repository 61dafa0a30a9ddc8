"""Reports: a notebook run on a study, published as one folder."""

from cxlab.report.execute import run_notebook
from cxlab.report.html import to_html
from cxlab.report.run import Interrupted, find_notebook, make_report

__all__ = ["Interrupted", "find_notebook", "make_report", "run_notebook", "to_html"]
