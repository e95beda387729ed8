"""Calls of Google's APIs: one method, one call."""
