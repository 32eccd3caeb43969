"""The limits from which on a person should look: the verdict's, the doctor's and those of docs/monitoring/alerts.yml.

A test holds the alerts to them. The first two are the views' as well: notifier_overview has them in its SQL.
"""

GONE_SECONDS = 30  # a notifier that was not seen for so long
STALLED_SECONDS = 120  # its loop did not come round for so long, though an item was due
LONGEST_DUE_SECONDS = 300
MOST_REJECTED = 20
BREAKER_OPEN_SECONDS = 600
NO_BATCH_SECONDS = 1800  # twice the ETL's interval; also how long none may have brought changes
