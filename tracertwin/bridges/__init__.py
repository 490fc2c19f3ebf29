"""A running rig for programs that have a protocol of their own: MQTT and Home Assistant, coding assistants (MCP).

Imports `rig` and what lies below; paho-mqtt in `publishing` only, the MCP SDK in `assistant` only.
"""
