"""Why a model answers as it does: gradients along a path, regions of a photo, and their picture."""
