"""The signed link: its grammar, its keys, minting and checking."""
