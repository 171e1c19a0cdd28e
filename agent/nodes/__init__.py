"""The nodes of the graph: one verb each, state in, partial state out."""

from agent.nodes.finish import finish
from agent.nodes.format import format_patch
from agent.nodes.gate import gate
from agent.nodes.patch import patch
from agent.nodes.plan import plan
from agent.nodes.record import record
from agent.nodes.rehearse import rehearse
from agent.nodes.review import review

__all__ = ["finish", "format_patch", "gate", "patch", "plan", "record", "rehearse", "review"]
