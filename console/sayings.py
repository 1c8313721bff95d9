"""What pages say in the language of the page: looked up once for good, not at each use of a word.

A page says hundreds of words, and Flask-Babel finds the language out anew for each of them: that
took as long as all the rest of the page.
"""

from collections.abc import Callable

from flask_babel import get_locale, get_translations
from markupsafe import Markup

# What was said before, by language: no more than there are words in the source.
_said: dict[str, dict[str, Markup]] = {}


def of_this_page() -> Callable[..., Markup]:
    """Return what the templates call to say something in the language of this request."""
    known, translations = _said.setdefault(str(get_locale()), {}), get_translations()

    def say(words: str, **values: object) -> Markup:
        """Say *words*, which are a format even where there is nothing to be put in."""
        found = known.get(words)
        if found is None:
            found = known[words] = Markup(translations.ugettext(words))  # noqa: S704 (our own words)
        return found % values

    return say
