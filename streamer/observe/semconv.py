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
SERVER_ADDRESS = "server.address"
SERVER_PORT = "server.port"

# Of the conventions for generative AI 0.1, which are in development too.
GENAI_OPERATION = "gen_ai.operation.name"
GENAI_PROVIDER = "gen_ai.provider.name"
GENAI_ASKED = "gen_ai.request.model"
GENAI_ANSWERED = "gen_ai.response.model"
GENAI_PROMPTS = "gen_ai.usage.input_tokens"
GENAI_CACHED = "gen_ai.usage.cache_read.input_tokens"
GENAI_ANSWERS = "gen_ai.usage.output_tokens"

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
