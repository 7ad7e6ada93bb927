"""The public names of a package, each imported when it is first asked for: TensorFlow takes seconds to load."""

import importlib
from collections.abc import Callable


def lazy_names(package: str, modules: dict[str, tuple[str, ...]]) -> tuple[list[str], Callable, Callable]:
    """The `__all__`, `__getattr__` and `__dir__` of a package, from the names that each module in it makes public."""
    homes = {name: module for module, names in modules.items() for name in names}

    def find(name: str):
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f".{homes[name]}", package), name)

    return sorted(homes), find, lambda: sorted(homes)
