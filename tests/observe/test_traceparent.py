import pytest

from streamer.observe.traceparent import incoming, unsampled

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"
VALID = f"00-{TRACE}-{SPAN}-01"


def header(value: str) -> tuple[str, bytes]:
    return ("traceparent", value.encode())


@pytest.mark.parametrize(
    "value",
    [
        "",
        "nonsense",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-01\n",
        f"00-{TRACE}-{SPAN}-1",
    ],
)
def test_what_is_no_context_is_ignored(value: str) -> None:
    assert incoming([header(value)]) is None


def test_an_invalid_context_does_not_hide_a_valid_one() -> None:
    found = incoming([header(VALID), header("nonsense")])
    assert found is not None
    assert found.text == VALID


def test_the_last_of_several_counts() -> None:
    found = incoming([header(VALID), header(f"00-{TRACE}-00000000000000aa-00")])
    assert found is not None
    assert found.text == f"00-{TRACE}-00000000000000aa-00"
    assert not found.sampled


@pytest.mark.parametrize(
    ("flags", "sampled"),
    [("01", True), ("03", True), ("00", False), ("02", False), ("fe", False), ("ff", True)],
)
def test_the_lowest_flag_says_whether_it_is_sampled(flags: str, sampled: bool) -> None:
    found = incoming([header(f"00-{TRACE}-{SPAN}-{flags}")])
    assert found is not None
    assert found.sampled is sampled
    assert found.context().trace_flags == int(flags, 16)


def test_a_later_version_goes_on_as_ours() -> None:
    found = incoming([header(f"cc-{TRACE}-{SPAN}-01-what-will-be")])
    assert found is not None
    assert found.text == VALID


def test_the_parts_reach_the_sdk() -> None:
    found = incoming([("tracestate", b"a=1"), header(VALID)])
    assert found is not None
    assert found.state == b"a=1"
    context = found.context()
    assert (context.trace_id, context.span_id) == (int(TRACE, 16), int(SPAN, 16))
    assert context.is_remote
    assert context.is_valid


@pytest.mark.parametrize(
    ("state", "kept"),
    [
        (b"a=" + b"x" * 510, True),
        (b"a=" + b"x" * 511, False),
        (b",".join(b"a%d=1" % n for n in range(32)), True),
        (b",".join(b"a%d=1" % n for n in range(33)), False),
        (None, False),
        (b"", False),
    ],
)
def test_a_state_within_the_limits_of_w3c_goes_on(state: bytes, kept: bool) -> None:
    found = incoming([("tracestate", state), header(VALID)])
    assert found is not None
    assert found.state == (state if kept else None)


def test_a_made_up_context_is_valid_and_not_sampled() -> None:
    found = incoming([header(unsampled(TRACE))])
    assert found is not None
    assert found.text == f"00-{TRACE}-{TRACE[16:]}-00"
    assert not found.sampled
