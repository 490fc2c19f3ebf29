"""The tools over stdio, by the Model Context Protocol's own SDK; ends when the assistant closes its end."""

from collections.abc import Awaitable, Callable

import anyio
from anyio import to_thread
from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations

from tracertwin.bridges.tools import INSTRUCTIONS, Tool, tools
from tracertwin.rig.serving import Rig
from tracertwin.versions import installed


def server_of(rig: Rig) -> MCPServer:
    """The server; nothing is read or written yet."""
    server = MCPServer(
        "tracertwin", instructions=INSTRUCTIONS, version=installed("tracertwin"), log_level="ERROR"
    )
    for tool in tools():
        annotations = ToolAnnotations(read_only_hint=tool.read_only, open_world_hint=False)
        server.add_tool(_doing(rig, tool), name=tool.name, description=tool.meaning, annotations=annotations)
    return server


def serve_assistant(rig: Rig) -> None:
    """Answer on stdin and stdout until stdin ends."""
    anyio.run(server_of(rig).run_stdio_async)


def _doing(rig: Rig, tool: Tool) -> Callable[..., Awaitable[str]]:
    async def act(arguments: str = "") -> str:
        text = f"{tool.command} {arguments}".strip()
        if not text.isprintable():
            raise ToolError("arguments are one line of text")
        try:
            return await to_thread.run_sync(rig.do, text) or "done"
        except ValueError as error:
            raise ToolError(str(error)) from None

    return act
