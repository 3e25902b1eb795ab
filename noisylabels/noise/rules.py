"""Rules by which label maps vote; nothing heavy is imported here, so that `--help` is quick."""

from typing import Literal

Rule = Literal["majority", "unanimity", "at-least", "events", "staple", "dawid-skene"]
Undecided = Literal["background", "ignore"]
