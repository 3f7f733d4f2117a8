"""Training the judge. Runs in the judge environment: `python -m streamer.learn.judge < order`."""
