"""The packaged trainer: photos in, a served classifier out; knows files and arguments only."""
