"""What was chosen and proven of the rule after the judge, in plain words."""

from collections.abc import Iterator

from streamer.learn.calibrate.after_judge import tickets_for_proof
from streamer.learn.calibrate.targets import Margin
from streamer.records.calibration import ProvenAfter
from streamer.records.label import JUDGE_STANDS


def told_after(proven: ProvenAfter) -> Iterator[str]:
    """Whose label stands, what that is worth beside the judge's own, and what is proven of it."""
    named = f"{proven.rule.kind} with alpha {proven.rule.alpha:g}"
    aim = f"at most {_points(proven.margin)} points worse than the judge's own label"
    if not proven.rows:
        yield f"after     {named}: no ticket has a known truth, and the judge's labels can prove"
        yield "          nothing against the judge: have people answer a gold sample"
        yield "          (review.gold), or give --gold"
        return
    tested = (
        f"{proven.gained} tickets gained and {proven.lost} lost of {proven.rows}, a lead of at"
        f" least {_points(proven.bound, sign=True)}"
    )
    if not proven.holds:
        margin = Margin(proven.margin, proven.confidence)
        yield f"after     {named}: no other rule is proven to be {aim}"
        yield f"          (the most careful one: {tested} points)"
        if proven.rows < (needed := tickets_for_proof(margin)):
            yield f"          {proven.rows} known truths are too few: it takes {needed} at least"
        return
    if proven.rule == JUDGE_STANDS:
        yield f"after     {named}: others are {aim}, and none is better ({tested} points)"
    else:
        yield f"after     {named}, {aim} with confidence {proven.confidence:g}"
        yield f"          ({tested} points)"
    if proven.lead is not None:
        yield f"          {_lead(proven)}"


def _lead(proven: ProvenAfter) -> str:
    lead = proven.lead
    assert lead is not None  # of what was proven
    low, high = _points(lead.low, sign=True), _points(lead.high, sign=True)
    told = f"worth {_points(lead.value, sign=True)} points [{low}, {high}] by cross-fitting"
    if lead.low > 0:
        return f"{told}: better than the judge's own label"
    if lead.tickets is None:
        return told
    return f"{told}; to show that it is better would take some {lead.tickets} known truths"


def _points(share: float, *, sign: bool = False) -> str:
    return f"{100 * share:+.2f}" if sign else f"{100 * share:g}"
