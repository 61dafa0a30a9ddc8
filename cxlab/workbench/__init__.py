"""The workbench: a study explored live, with widgets that answer while you drag."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
