"""The control plane: accounts, files, uploads and links over HTTP."""
