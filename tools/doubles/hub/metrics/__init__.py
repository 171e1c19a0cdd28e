"""Metric modules that the double serves to `evaluate.load`; written for the client library's interface."""
