"""Codemods on concrete syntax trees. Imported where a fix is made: libcst takes longer than a review."""
