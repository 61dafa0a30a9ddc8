from ._explore import explore as explore
from ._explore import explore_drivers as explore_drivers
from ._explore import what_if_sliders as what_if_sliders
from ._serve import serve as serve
