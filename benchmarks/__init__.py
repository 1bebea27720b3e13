"""How fast the library is, as ratios to openai-harmony measured in the same run.

``python -m benchmarks`` prints every table; see docs/performance.md.
"""
