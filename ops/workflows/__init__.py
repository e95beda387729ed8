"""The rules, one file per command: plan() reads and decides, run() acts; nothing here prints."""
