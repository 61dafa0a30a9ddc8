from .describe import codebook as codebook
from .errors import DataCheckError as DataCheckError
from .errors import StudyError as StudyError
from .errors import SurveyError as SurveyError
from .quality import check_quality as check_quality
from .readers import read_survey as read_survey
from .survey import Survey as Survey
from .words import set_language as set_language
