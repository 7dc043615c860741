"""Simulated trials compared with published figures."""
