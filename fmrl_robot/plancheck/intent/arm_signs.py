"""Signs of a whole text that it is data, a quotation, a description, and no order to an arm."""

from __future__ import annotations

import re

QUOTE = re.compile(
    r"[\"\u201c][^\"\u201c\u201d]*[\"\u201d]|"
    r"(?<!\w)['\u2018][^'\u2018\u2019]*['\u2019](?!\w)"
)
OF_WORDS = re.compile(
    r"\b(?:(?:told|asked|said to|shouted at|ordered) (?:(?:her|his|their|its|our|my|the) \w+|him|"
    r"her|them|\w+ to)|such as|for (?:example|instance)|e\.g\.|example|phrase|sentence|words?|"
    r"verse|lyrics?|song|title|headline|chapter|spell\w*|translat\w+|pronounc\w+|(?:had|once|"
    r"never) \w*"
    r" ?(?:said|asked|told|shouted|read)|commit|echo|grep|printf?)\b",
    re.IGNORECASE,
)
"""Words, outside of a quotation, by which it is spoken about or was said to somebody else."""

DATA = re.compile(
    r"(?:^\s*[^\s,]+(?:[,;\t][^\s,;]+){2,}\s*$\n?){2}|^\s*(?:[$#>]|>>>) \w|"
    r"^\s*assert\b|==|\w\[['\"]|"
    r"^\s*(?:DEBUG|INFO|WARN(?:ING)?|ERROR|FATAL|TRACE|\w*(?:Error|Exception))\b.*:",
    re.MULTILINE,
)
"""Rows of a table, a prompt, a log, a comparison: what no order has in it."""

MEASURE = re.compile(
    r"\b\d+(?:\.\d+)? (?:mm|cm|m|g|kg|ml|l|litres?|liters?|grams?|inch(?:es)?|euros?)\b"
)
"""A thing by its size is described: "red cube: 40 mm"."""

HEADING = re.compile(
    r"(?:recipe|ingredients?|chapter|title|inventory|stock|definition|poem|figure|contents|"
    r"shopping list|for sale|news|press release|headline)(?: \d+)?"
)
"""What stands over a text that is about things: "inventory: red cube, bowl"."""
