"""What becomes of a ticket, as pure functions on arrays: no I/O, numpy and the records only.

In order: who is asked (`third_worker`), what a rule says (`deferral_rule` and the rules), the
workers' label in any case (`candidate`), what is published and what the judge is asked
(`disposition`), and whose label stands after it (`arbitration`). The services call them with votes
as they come, replay and all that learns with votes of a log.

Index spaces, each by one word everywhere: a row is a ticket among those of the arrays at hand, a
label id a label among those of its label set, -1 for none, a segment id a segment among those that
its classifier names, -1 for none, a rule index one of a task's thresholds, an index any other entry
of a list, as a worker in the order in which the task configures them; partitions are Kafka's.
"""
