"""The emulator's own routes under `/_emulator/`, for tests and people; no Google API."""
