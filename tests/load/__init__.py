"""Benchmarks and soaks: what is too slow or too noisy for the tests."""
