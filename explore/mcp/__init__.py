"""The MCP server: tools with which assistants look at the data, with the rights of a token."""
