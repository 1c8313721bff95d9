"""What the service counts about itself, for Prometheus; no label names a person."""

from prometheus_client import Counter, Gauge, Histogram

MESSAGES_IN = Counter("tradan_messages_in", "Messages accepted from operators", ["link", "result"])
RECEIPTS = Counter("tradan_receipts", "What delivery receipts came to", ["link", "result"])
NUMBER_EVENTS = Counter("tradan_number_events", "What number events came to", ["link", "result"])
AUTH_FAILURES = Counter("tradan_auth_failures", "Requests whose signature did not hold", ["link"])
HANDLED = Counter("tradan_handled", "Messages that reached their end", ["state", "reply"])
SENT = Counter("tradan_sent", "Attempts to hand a reply to an operator", ["link", "outcome"])
ALARMS = Counter("tradan_alarms", "Conditions that a person must look at", ["kind"])
SEALED = Counter("tradan_journal_sealed", "Journal entries sealed under a checkpoint")
STAGE_SECONDS = Histogram(
    "tradan_stage_seconds",
    "Time a batch spends in a stage",
    ["stage"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
ANSWER_SECONDS = Histogram(
    "tradan_answer_seconds",
    "From the message's acceptance to its reply's hand-over",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120),
)
QUORUM_AGE = Gauge(
    "tradan_witness_quorum_age_seconds",
    "Time since a quorum of witnesses stood behind the journal",
    multiprocess_mode="livemax",
)
SMPP_BOUND = Gauge(
    "tradan_smpp_bound", "SMPP sessions that are bound", ["link"], multiprocess_mode="livesum"
)
SMPP_WINDOW = Gauge(
    "tradan_smpp_window",
    "Replies that wait for an SMSC's answer",
    ["link"],
    multiprocess_mode="livesum",
)
QUEUE_AGE = Gauge(
    "tradan_queue_age_seconds", "Age of the oldest message waiting", multiprocess_mode="livemax"
)
BUDGET_USED = Gauge(
    "tradan_budget_used_ratio",
    "What replies cost, of the budget",
    ["operator", "window"],
    multiprocess_mode="livemax",
)
LINK_SLOWED = Gauge(
    "tradan_link_slowed",
    "Whether a signal of pumping halves the PINs of a link",
    ["link"],
    multiprocess_mode="livemax",
)
