"""The page: the templates, style and script in workflow/report/, filled in with what was computed."""

import math
from pathlib import Path

import jinja2
from markupsafe import Markup

from reporting import intervals

HOME = Path(__file__).resolve().parents[3]  # the project's folder
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


def number(value, digits: int = 3) -> str:
    """A short number; NaN and the infinities by their signs, what does not apply as a dash."""
    if value is None:
        return "–"
    value = float(value) + 0.0  # no −0
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:.{digits}g}".replace("-", "−")


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
    environment.filters |= {"setting": setting, "number": number, "prose": prose, "count": "{:,}".format}
    environment.filters |= {"amount": intervals.amount, "spread": intervals.spread}
    style, script = ((SOURCES / name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    return environment.get_template("report.html.j2").render(style=style, script=script, **content)
