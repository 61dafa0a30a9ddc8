"""Loyalty: how satisfaction and what customers do hang together, and where a point more pays."""
