"""Rows that point to photos, and the pixels behind them."""
