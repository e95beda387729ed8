"""One script per promise of speed; `python -m bench` runs them and prints figures and ratios."""
