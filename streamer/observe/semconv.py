"""Names of span attributes.

Our own constants: in OpenTelemetry's semantic conventions 1.44 everything about messaging is still
"development", and the names moved before. The schema address says which version these are of.
"""

SCHEMA_URL = "https://opentelemetry.io/schemas/1.44.0"

MESSAGING_SYSTEM = "messaging.system"
OPERATION_NAME = "messaging.operation.name"
OPERATION_TYPE = "messaging.operation.type"
DESTINATION = "messaging.destination.name"
PARTITION = "messaging.destination.partition.id"
OFFSET = "messaging.kafka.offset"
GROUP = "messaging.consumer.group.name"
TOMBSTONE = "messaging.kafka.message.tombstone"
MESSAGE_COUNT = "messaging.batch.message_count"
ERROR_TYPE = "error.type"
RPC_SYSTEM = "rpc.system"
RPC_METHOD = "rpc.method"

TICKET_ID = "streamer.ticket.id"
TASK = "streamer.task"
LABEL = "streamer.label"
SOURCE = "streamer.source"
RULE = "streamer.rule"
QUORUM = "streamer.rule.quorum"
VOTES = "streamer.votes"
SEGMENT = "streamer.segment"
SEGMENT_SURENESS = "streamer.segment.sureness"
ROUTING = "streamer.routing"
WORKERS = "streamer.workers"
DEFERRED = "streamer.deferred"
LATE = "streamer.late"
LATENCY_MS = "streamer.latency_ms"
WORKER = "streamer.worker"
VERSION = "streamer.worker.version"
ROWS = "streamer.rows"
