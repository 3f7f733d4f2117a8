"""What becomes of a ticket, as pure functions on arrays: no I/O, numpy and the records only.

In order: who is asked (`third_worker`), what a rule says (`deferral_rule` and the rules), the
workers' label in any case (`candidate`), what is published and what the judge is asked
(`disposition`), and whose label stands after it (`arbitration`). The services call them with votes
as they come, replay and all that learns with votes of a log.

Index spaces: a row is a ticket's place in the arrays at hand, a label id a label's place in its
label set, -1 for none, a rule index one of a task's thresholds; workers are counted in the order in
which the task configures them.
"""
