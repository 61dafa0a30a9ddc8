"""The moment cube: every filter's moments, replicates and importances by adding up cells, not by refitting rows."""

from cxlab.cube._cube import CubePlan, Jackknifed, MomentCube, Progress, moment_cube, plan_cube
from cxlab.cube._importance import CubeImportance, cube_importance, importance_of
from cxlab.cube._ranks import drawn_ranks
from cxlab.cube._what_if import CubeScenario, CubeWhatIf, cube_scenario, cube_what_if

__all__ = [
    "CubeImportance",
    "CubePlan",
    "CubeScenario",
    "CubeWhatIf",
    "Jackknifed",
    "MomentCube",
    "Progress",
    "cube_importance",
    "cube_scenario",
    "cube_what_if",
    "drawn_ranks",
    "importance_of",
    "moment_cube",
    "plan_cube",
]
