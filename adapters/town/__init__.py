"""What the stand-in shops share: a town's people who buy there, and how a stand-in is run.

Only stand-ins, tests and benchmarks use it; no real shop is spoken to with anything from here.
"""
