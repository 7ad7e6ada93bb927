"""Public names that are imported on first use, because TensorFlow and pandas take seconds to load."""

import importlib
from collections.abc import Callable


def lazy_names(package: str, modules: dict[str, tuple[str, ...]]) -> tuple[list[str], Callable, Callable]:
    """Return the `__all__`, `__getattr__` and `__dir__` of a package whose public names are loaded on first use.

    Args:
        package: name of the package, its `__name__`.
        modules: by module, relative to the package, the names that it makes public. "." stands for the package: its
            submodules are public themselves.
    """
    homes = {name: module for module, names in modules.items() for name in names}

    def find(name: str):
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        if homes[name] == ".":
            return importlib.import_module(f".{name}", package)
        return getattr(importlib.import_module(f".{homes[name]}", package), name)

    return sorted(homes), find, lambda: sorted(homes)
