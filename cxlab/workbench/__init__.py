"""The workbench: a study explored live, with widgets that answer while you drag."""
