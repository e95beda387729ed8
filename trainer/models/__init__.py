"""Networks as plain arrays: read, trained, and written for TensorFlow and LiteRT."""
