"""What the stand-ins share: a town's people who buy there, how one is run and how it breaks down.

Only stand-ins, tests and benchmarks use it; no real shop is spoken to with anything from here.
"""
