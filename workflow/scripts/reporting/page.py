"""The page: the templates, styles and scripts in workflow/report/, filled in with what was computed."""

import math
from pathlib import Path

import jinja2
from markupsafe import Markup

from common.english import amount, counted, shortened, symbol, with_article
from comparing.statistics import SIGNIFICANT
from reporting import intervals

HOME = Path(__file__).resolve().parents[3]  # the project's folder
LEAST = 1e-300  # of a p-value that is written out
NO_GRADIENT = 1e-12  # of one image, whose loss has a slope of the order of 1 where it is wrong
SOURCES = HOME / "workflow" / "report"


def setting(value) -> str:
    """A setting as the page shows it: 64 × 32, SGD(momentum=0.9)."""
    match value:
        case [str(name), [*arguments]]:
            inside = ", ".join(f"{key}={argument}" for key, argument in arguments)
            return f"{name}({inside})" if inside else name
        case []:
            return "none"
        case list():
            return ", ".join(map(str, value))
    return str(value)


def prose(text: str) -> Markup:
    """A generated sentence, its `expressions` as code."""
    pieces = str(text).split("`")
    return Markup("").join(Markup("<code>{}</code>").format(p) if i % 2 else p for i, p in enumerate(pieces))


def short_number(value, digits: int = 3) -> str:
    """A short number; NaN and the infinities by their signs, what does not apply as a dash."""
    if value is None:
        return "–"
    value = float(value) + 0.0  # no −0
    return f"{value:.{digits}g}".replace("-", "−") if math.isfinite(value) else symbol(value)


def gradient(exact: float | str) -> str:
    """The gradient of a formula where float32 gives 0: '0, not 0.25'; 'about 0' where it would move nothing, either."""
    return "about 0" if abs(float(exact)) < NO_GRADIENT else f"0, not {short_number(exact, 2)}"


def difference(value: float | None) -> str:
    """So many more images, or fewer: +1.3, −1,134, 0."""
    if value is None:
        return "–"
    return f"{'+' if value > 0 else '−' if value < 0 else ''}{amount(abs(value))}"


def p_value(value: float | None) -> str:
    """A p-value; one that float64 can hardly tell from 0, or that would be rounded up to 0.05, as below that bound."""
    if value is not None and value < LEAST:
        return f"< {short_number(LEAST)}"
    if value is not None and value < SIGNIFICANT <= float(f"{value:.2g}"):
        return f"< {SIGNIFICANT}"
    return short_number(value, 2)


def render(**content) -> str:
    """The page as HTML. Everything is escaped unless a template says otherwise; what a template lacks is an error.

    content: what all sections share, by name (classes, counts, source, rows, looks, many_seeds), the text of Vega's
    JavaScript, and under the name of each section what it shows.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(SOURCES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"sort_keys": False}
    environment.filters |= {
        "setting": setting,
        "number": short_number,
        "prose": prose,
        "gradient": gradient,
        "difference": difference,
        "p_value": p_value,
        "with_article": with_article,
        "counted": counted,
        "count": "{:,}".format,
    }
    environment.filters |= {"amount": amount, "spread": intervals.spread, "shortened": shortened}
    environment.globals["text_of"] = lambda file: (SOURCES / file).read_text(encoding="utf-8")
    return environment.get_template("report.html.j2").render(**content)
