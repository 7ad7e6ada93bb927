"""python -m glioma_idh: the same as the command `glioma-idh`."""

from glioma_idh.cli import main

if __name__ == "__main__":
    main()
