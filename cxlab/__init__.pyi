from cxlab.errors import DataCheckError as DataCheckError
from cxlab.errors import StudyError as StudyError
from cxlab.errors import SurveyError as SurveyError
from cxlab.survey import Survey as Survey
from cxlab.words import set_language as set_language
