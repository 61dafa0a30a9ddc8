from .execute import run_notebook as run_notebook
from .html import to_html as to_html
from .monthly import MonthlyReport as MonthlyReport
from .run import Interrupted as Interrupted
from .run import find_notebook as find_notebook
from .run import make_report as make_report
