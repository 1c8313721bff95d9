"""What a browser calls itself, in two words: officers' sessions are told apart by them."""

import re

# The first that is found: those that also call themselves by another's name come before it.
_BROWSERS = (
    ("Cốc Cốc", r"coc_coc_browser/([0-9]{1,4})"),
    ("Edge", r"Edg(?:A|iOS)?/([0-9]{1,4})"),
    ("Opera", r"OPR/([0-9]{1,4})"),
    ("Samsung Internet", r"SamsungBrowser/([0-9]{1,4})"),
    ("Firefox", r"(?:Firefox|FxiOS)/([0-9]{1,4})"),
    ("Chrome", r"(?:HeadlessChrome|CriOS|Chrome)/([0-9]{1,4})"),
    ("Safari", r"Version/([0-9]{1,4})[^ ]* (?:Mobile/\w+ )?Safari/"),
)
_SYSTEMS = (
    ("Windows", r"Windows NT"),
    ("Android", r"Android"),
    ("iOS", r"iPhone|iPad|iPod"),
    ("macOS", r"Macintosh"),
    ("ChromeOS", r"CrOS"),
    ("Linux", r"Linux"),
)


def short(agent: str) -> str | None:
    """Name the browser, its version and its system; None if it says nothing that is known.

    Source: RFC 9110, 10.1.5; it is what the browser says of itself and proves nothing.
    """
    browser = next(
        (f"{name} {found[1]}" for name, text in _BROWSERS if (found := re.search(text, agent))),
        None,
    )
    system = next((name for name, text in _SYSTEMS if re.search(text, agent)), None)
    return " · ".join(word for word in (browser, system) if word) or None
