"""The one door to vl-convert: compiling charts, drawing them, and the script that draws them in a browser.

Here: three calls, and one clear line where the library is not installed.
Not here: what is drawn (``specs``).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from metaplat.model.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

PURPOSE, LIBRARY = "drawing charts", "vl-convert-python"
VEGA, INTERPRETER = "6.2.0", "2.0.0"
"""Versions of the modules that vl-convert 1.9 carries; they are named by version."""
SCRIPT = f"""
import {{ parse, View }} from "/npm/vega@{VEGA}/+esm";
import {{ expressionInterpreter }} from "/npm/vega-interpreter@{INTERPRETER}/+esm";
window.vega = {{ parse, View, expressionInterpreter }};
"""
"""All that the page needs. Charts are compiled beforehand, so Vega-Lite and its embedding stay away;
with the interpreter no text is ever turned into code, and the page needs no right to do so."""


def compiled(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Compile a Vega-Lite specification to Vega.

    Raises
    ------
    MissingExtraError
        vl-convert is not installed.
    """
    return dict(_library().vegalite_to_vega(dict(spec)))


def drawn(spec: Mapping[str, Any], scale: float) -> bytes:
    """Draw a Vega-Lite specification that holds its data; return a PNG of ``scale`` pixels a unit.

    Raises
    ------
    MissingExtraError
        vl-convert is not installed.
    """
    return bytes(_library().vegalite_to_png(dict(spec), scale=scale))


@lru_cache(maxsize=1)  # bundling takes a second, and gives the same text each time
def browser_script() -> str:
    """Return the script that a page needs to draw compiled charts without a network.

    Raises
    ------
    MissingExtraError
        vl-convert is not installed.
    """
    text = str(_library().javascript_bundle(SCRIPT))
    return text.replace("</script", "<\\/script").replace("<!--", "<\\!--")  # else they would end the element


def _library() -> ModuleType:
    try:
        import vl_convert
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "vl_convert":
            raise
        raise MissingExtraError(PURPOSE, LIBRARY, "vip") from error
    if vl_convert.get_vega_version() != VEGA:
        raise MissingExtraError(PURPOSE, f"{LIBRARY} with Vega {VEGA}", "vip")
    return vl_convert
