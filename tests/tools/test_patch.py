"""What lies between two bundles."""

from __future__ import annotations

from policies.records import Bundle
from tools.patch import changed_ranges, diff_size, diff_text

BASE = Bundle(files={"a.py": "x = 1\ny = 2\n", "old.py": "z = 3\n"})
CHANGED = Bundle(files={"a.py": "x = 1\ny = 3\nw = 4", "new.py": "v = 5\n"})

EXPECTED = """\
--- a/a.py
+++ b/a.py
@@ -1,2 +1,3 @@
 x = 1
-y = 2
+y = 3
+w = 4
\\ No newline at end of file
--- /dev/null
+++ b/new.py
@@ -0,0 +1 @@
+v = 5
--- a/old.py
+++ /dev/null
@@ -1 +0,0 @@
-z = 3
"""


def test_a_diff_reads_as_git_writes_it() -> None:
    assert diff_text(BASE, CHANGED) == EXPECTED
    assert diff_text(BASE, BASE) == ""


def test_its_size() -> None:
    size = diff_size(BASE, CHANGED)
    assert (size.files, size.added_lines, size.removed_lines) == (3, 3, 2)
    assert str(size) == "3 files, +3 -2 lines"


def test_ranges_are_of_the_new_text() -> None:
    assert changed_ranges("a\nb\nc\n", "a\nX\nY\nc\nd\n") == ((2, 3), (5, 5))
    assert changed_ranges("a\nb\n", "a\n") == ()
    assert changed_ranges("", "a\nb\n") == ((1, 2),)
