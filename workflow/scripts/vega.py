"""Take the JavaScript of Vega, Vega-Lite and Vega-Embed out of the package that carries it, for the report's charts."""

from pathlib import Path

import vl_convert

from common.errors import logged
from common.files import sealed, write

if __name__ == "__main__":
    with logged(snakemake.log[0]) as say:
        # Inside a page's <script>, a text of its own that says </script would end it.
        script = vl_convert.javascript_bundle().replace("</script", "<\\/script")
        write(Path(snakemake.output.vega), sealed(script))
        say("the JavaScript of the charts")
