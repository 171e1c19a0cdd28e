"""Imports land where a person would put them."""

from __future__ import annotations

import pytest

from policies.imports import add_import

MODULE = '''\
"""Doc."""
from __future__ import annotations

import os

import torch  # c

from .a import b

x = 1
'''


@pytest.mark.parametrize(
    ("statement", "before", "after"),
    [
        ("import json", "import os\n", "import os\nimport json\n"),
        ("import numpy as np", "import torch  # c\n", "import torch  # c\nimport numpy as np\n"),
        ("from .c import d", "from .a import b\n", "from .a import b\nfrom .c import d\n"),
        ("from .a import aa", "from .a import b\n", "from .a import aa, b\n"),
        ("from .a import c as d", "from .a import b\n", "from .a import b, c as d\n"),
        ("import os", "import os\n", "import os\n"),
    ],
)
def test_places(statement: str, before: str, after: str) -> None:
    assert add_import(MODULE, statement) == MODULE.replace(before, after)


def test_extends_a_list_over_lines() -> None:
    text = "from typing import (\n    Dict,\n    List,  # lists\n)\n"
    assert add_import(text, "from typing import Any") == text.replace("    Dict", "    Any,\n    Dict")
    assert add_import(text, "from typing import Optional") == (
        "from typing import (\n    Dict,\n    List,\n    Optional,  # lists\n)\n"
    )


def test_modules_without_imports() -> None:
    assert add_import('"""Doc."""\nx = 1\n', "import os") == '"""Doc."""\nimport os\nx = 1\n'
    assert add_import("x = 1\n", "import os") == "import os\nx = 1\n"
    assert add_import("@f\ndef g(): ...\n", "import os") == "import os\n@f\ndef g(): ...\n"
    assert add_import("", "import os") == "import os\n"
    assert add_import("import torch\n", "import os") == "import os\nimport torch\n"


def test_broken_code_is_refused() -> None:
    assert add_import("x = (\n", "import os") is None
