from .describe import codebook as codebook
from .errors import DataCheckError as DataCheckError
from .errors import StudyError as StudyError
from .errors import SurveyError as SurveyError
from .quality import check_quality as check_quality
from .readers import read_survey as read_survey
from .study import Study as Study
from .study import check_study as check_study
from .study import open_study as open_study
from .survey import Survey as Survey
from .words import set_language as set_language
__version__: str
