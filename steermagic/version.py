"""The version of the package, which is part of the key of every stored answer."""

__version__ = "0.1.0"
