"""Reconciliation: an operator's call records against our usage, record by record."""
