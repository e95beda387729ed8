"""A local Google Cloud for Google's own clients: it really stores, trains and serves."""

__version__ = "0.1.0"
