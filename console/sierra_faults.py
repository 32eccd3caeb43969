"""The reasons for which nothing is sent to Sierra, by the first words of the notifier's; docs/log-lines.md has all."""

from typing import NamedTuple

from console.sentences import Sentence, sentence


class Fault(NamedTuple):
    """A fault between Sierra and us: one word for it, a sentence, and what to do."""

    code: str
    sentence: Sentence
    advice: Sentence


BY_ITSELF = sentence("Nothing to do: it is tried again every minute, and all that waits is sent by itself then.")

KEY = Fault(
    "key",
    sentence("Sierra refuses our key."),
    sentence("Ask Sierra's administrator to renew it; nothing is lost, all will be sent by itself."),
)
ROLE = Fault(
    "role",
    sentence("Sierra refuses our key, or it may not write items."),
    sentence("Ask Sierra's administrator whether it has the roles Items Read and Items Write; nothing is lost."),
)
ADDRESS = Fault(
    "address",
    sentence("Sierra is not where we look for it."),
    sentence("Ask for the right address of Sierra's API, and set SIERRA_API_ENDPOINT of the notifier."),
)
NAME = Fault(
    "name",
    sentence("Sierra's host name is not known."),
    sentence("Look at the name service of the notifier's machine, and at SIERRA_API_ENDPOINT."),
)
CERTIFICATE = Fault(
    "certificate",
    sentence("Sierra's certificate is not trusted."),
    sentence("Ask Sierra's administrator whether it has expired. A CA of your own is named in SIERRA_API_CA_BUNDLE."),
)
ALIKE = Fault(
    "alike",
    sentence("Sierra refuses one item after the other in the same way, so the items are hardly at fault."),
    sentence("Look at what Sierra says, and at the notifier's settings. The items are kept, and are sent afterwards."),
)
LIMIT = Fault(
    "limit",
    sentence("The notifier's machine is at its limit."),
    sentence("Restart the notifier; raise its limit of open files if it comes again."),
)
TOKEN = Fault(
    "token",
    sentence("Sierra gives us no token."),
    sentence("If it stays, check SIERRA_API_ENDPOINT of the notifier."),
)
SILENT = Fault("silent", sentence("Sierra does not answer."), BY_ITSELF)
DOWN = Fault("down", sentence("Sierra is not available."), BY_ITSELF)
BUSY = Fault("busy", sentence("Sierra is busy."), BY_ITSELF)
OTHER = Fault("sierra", sentence("Sierra does not do what we ask."), BY_ITSELF)

BY_FIRST_WORDS = {
    "Sierra refuses our key (": KEY,
    "Sierra refuses our key or its role": ROLE,
    "Sierra refuses even a new token": ROLE,
    "Sierra sent us elsewhere": ADDRESS,
    "not Sierra answered": ADDRESS,
    "Sierra does not answer": SILENT,
    "not Sierra, but this machine is at its limit": LIMIT,
    "Sierra's certificate is not trusted": CERTIFICATE,
    "Sierra's host name is not known": NAME,
    "Sierra answered with a web page": DOWN,
    "Sierra is busy": BUSY,
    "Sierra is not available": DOWN,
    "Sierra gave no token": TOKEN,
    "Sierra's token endpoint answered something that is no token": TOKEN,
}


def explain(reason: str | None) -> Fault:
    """The fault that a notifier's reason tells of."""
    if "items in a row failed alike" in (reason or ""):
        return ALIKE
    return next((fault for words, fault in BY_FIRST_WORDS.items() if (reason or "").startswith(words)), OTHER)
