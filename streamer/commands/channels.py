"""Who writes which topic, who reads it, and what holds there."""

from dataclasses import dataclass
from typing import Literal

Direction = Literal["in", "out", "inside"]

TICKET_KEY = "`<ticket id>/<task>` in UTF-8"
ONCE = (
    "At least once. A repeat has the decision_id and revision of the first; what else it says may "
    "differ."
)


@dataclass(frozen=True, slots=True)
class Message:
    """One kind of record on a topic.

    `record` is its name in `records.schema`, None where the payload is somebody else's (`payload`
    says what it is) or, for a deletion, null. `headers` are its Kafka headers with their meaning.
    """

    name: str
    text: str
    key: str
    headers: tuple[str, ...] = ("traceparent", "tracestate")
    record: str | None = None
    deletion: bool = False


@dataclass(frozen=True, slots=True)
class Channel:
    """One topic by its key under `topics`.

    `direction` is seen from the outside: what goes in, what comes out, and what only the services
    exchange among themselves. `policies` are the cleanup policies that lose nothing.
    """

    topic: str
    text: str
    direction: Direction
    written_by: tuple[str, ...]
    read_by: tuple[str, ...]
    delivery: str
    messages: tuple[Message, ...]
    policies: tuple[str, ...] = ("delete",)


HEADERS = {
    "dead.handled": "replayed or dropped: tells this record from a dead letter.",
    "dead.attempt": "How often the record was replayed; only where it was.",
    "traceparent": "W3C trace context: the ticket's trace.",
    "tracestate": "W3C trace state, where the ticket came with one.",
    "source.offset": "Offset of the deletion in the tickets' partition, in decimal digits.",
    "source.partition": "That partition, as `<topic>/<number>`; offsets of others say nothing.",
}

_DELETION = Message(
    "deletion",
    "The ticket was deleted: a null value under the label's key. It removes the labels whose "
    "position.offset is lower than source.offset, also those that come after it.",
    TICKET_KEY,
    ("source.offset", "source.partition"),
    deletion=True,
)

CHANNELS = (
    Channel(
        "tickets",
        "Your tickets, in your own shape: `input` in streamer.yaml says where id and text are. A "
        "null value under a ticket's id as key deletes that ticket's labels.",
        "in",
        ("your systems",),
        ("classify",),
        "Each record is labelled at least once for every task that it meets, or becomes a dead "
        "letter. Deletions are passed on to the labels.",
        (
            Message(
                "ticket",
                "One ticket, as JSON or what your decoder reads.",
                "the ticket's id",
                ("traceparent", "tracestate", "dead.attempt"),
            ),
        ),
    ),
    Channel(
        "labels",
        "The results. For one key the state is the label with the highest (position.offset, "
        "revision), then the last in the log; `streamer.client` applies that.",
        "out",
        ("classify", "judge", "table"),
        ("subscribers", "monitor", "table"),
        ONCE,
        (
            Message("label", "One decision with its provenance.", TICKET_KEY, record="label"),
            _DELETION,
        ),
        ("delete", "compact"),
    ),
    Channel(
        "current",
        "What stands of each label: the last record of a key, null where nothing does. Only where "
        "it is configured.",
        "out",
        ("table",),
        ("subscribers",),
        "At least once, by one process a key. Only changes are written.",
        (
            Message(
                "state",
                "The label that stands, as it lies on the labels topic.",
                TICKET_KEY,
                (),
                record="label",
            ),
            Message("gone", "No label stands any more.", TICKET_KEY, (), deletion=True),
        ),
        ("compact",),
    ),
    Channel(
        "judge",
        "Tickets on which the workers did not agree, or whose label the judge verifies.",
        "inside",
        ("classify",),
        ("judge",),
        ONCE,
        (
            Message(
                "judgeRequest",
                "One ticket and task, with all that its label must carry.",
                TICKET_KEY,
                record="judge-request",
            ),
        ),
    ),
    Channel(
        "audit",
        "Tickets of the uniform stratum that the judge looks at when it has time; nothing of it "
        "is published.",
        "inside",
        ("classify",),
        ("judge",),
        ONCE + " What is too old is given up, and logged as missing.",
        (
            Message(
                "audit",
                "A judge request with the purpose audit.",
                TICKET_KEY,
                record="judge-request",
            ),
        ),
    ),
    Channel(
        "dead",
        "Input records that could not be processed. `streamer dead` lists and replays them.",
        "out",
        ("classify", "judge", "streamer dead"),
        ("operators",),
        "At least once. Its place in the input (dead.topic, dead.partition, dead.offset) names a "
        "record.",
        (
            Message(
                "deadLetter",
                "Key, value and headers of the input as they were, but the trace's, and the reason "
                "as headers. Where dead.truncated is true, the value is the first 64 KiB.",
                "the input's own",
                record="dead-letter",
            ),
            Message(
                "handled",
                "What was done with a letter of this partition, by its offset.",
                "the letter's own",
                ("dead.handled",),
                record="handled",
            ),
        ),
    ),
    Channel(
        "review",
        "Tickets for a person: the judge is unsure, or the ticket is drawn for the gold sample.",
        "out",
        ("classify", "judge"),
        ("people",),
        ONCE,
        (Message("review", "One ticket and task to look at.", TICKET_KEY, record="review"),),
    ),
    Channel(
        "answers",
        "Labels by people. Any label may be corrected so.",
        "in",
        ("people",),
        ("classify",),
        "Each answer becomes a label of revision 2 at least once, or a dead letter; the last one "
        "in the topic wins.",
        (
            Message(
                "answer",
                "A person's label. Copy decision_id, label_set and position from the review or "
                "label. With `release`, the label that a person gives up.",
                "one and the same for the answers to one ticket and task",
                record="answer",
            ),
        ),
    ),
    Channel(
        "log",
        "What reproduces each decision; `streamer log export` makes a file of it.",
        "out",
        ("classify", "judge"),
        ("streamer log export",),
        ONCE,
        (Message("log", "A ballot, a verdict or an answer.", TICKET_KEY, record="log"),),
    ),
    Channel(
        "stats",
        "What each process did, about once a second.",
        "inside",
        ("classify", "judge", "table"),
        ("monitor",),
        "At most once: no ticket waits for a statistic. A gap in `sequence` says what is missing.",
        (
            Message(
                "summary",
                "The sums of one process, for one task or for itself.",
                "`<process>/<task>` in UTF-8",
                (),
                record="summary",
            ),
        ),
    ),
    Channel(
        "alerts",
        "Alarms, as they are raised and as they are cleared.",
        "out",
        ("monitor",),
        ("operators",),
        "At least once. The last one of a key says whether it stands.",
        (
            Message(
                "alarm",
                "Something that a person should look at.",
                "`<kind>/<task>/<subject>` in UTF-8",
                (),
                record="alarm",
            ),
        ),
    ),
)
