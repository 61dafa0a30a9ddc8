"""The moment cube: every filter's moments, replicates and importances by adding up cells, not by refitting rows."""

from cxlab.cube._cube import CubePlan, Jackknifed, MomentCube, Progress, moment_cube, plan_cube
from cxlab.cube._importance import CubeImportance, cube_importance
from cxlab.cube._ranks import drawn_ranks

__all__ = [
    "CubeImportance",
    "CubePlan",
    "Jackknifed",
    "MomentCube",
    "Progress",
    "cube_importance",
    "drawn_ranks",
    "moment_cube",
    "plan_cube",
]
