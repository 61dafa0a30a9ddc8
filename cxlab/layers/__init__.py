"""Layers: experience, emotion and behaviour as one path model."""
