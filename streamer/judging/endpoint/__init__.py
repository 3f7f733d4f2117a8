"""The judge of `judge.kind: endpoint`: a model that somebody else runs, asked over HTTP."""
