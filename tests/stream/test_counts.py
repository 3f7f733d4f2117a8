from streamer.stream.counts import Counts


def test_everything_is_counted_from_0() -> None:
    assert Counts() == Counts(
        records=0,
        batches=0,
        emissions=0,
        commits=0,
        commits_lost=0,
        rebalances=0,
        redelivered=0,
        settled={},
    )
