"""Prices and regions: dated tables, and pure functions of them."""
