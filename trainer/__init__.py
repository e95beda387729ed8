"""The packaged trainer: photos in, an evaluated and served classifier out; knows files and arguments only."""
