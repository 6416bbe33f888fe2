"""The verbs, each over a batch: ingest, evaluate, deliver."""
