"""The packages to install; all else is in setup.cfg. The manifests lie beside the package, and are installed in it."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["glioma_idh*"]), "glioma_idh.data_manifests"],
    package_dir={"glioma_idh.data_manifests": "data_manifests"},
)
