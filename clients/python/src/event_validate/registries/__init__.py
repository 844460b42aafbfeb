"""Other schema registries, by their REST interfaces."""
