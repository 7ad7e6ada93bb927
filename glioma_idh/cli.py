"""The command `glioma-idh`, which calls the command modules; `python -m glioma_idh` is the same.

Only the module of the chosen command is imported, so that the list of commands appears at once.
"""

import difflib
import importlib
import sys

from glioma_idh import __version__
from glioma_idh.errors import ending_plainly

PROGRAM = "glioma-idh"
SHELLS = ("bash", "zsh", "fish")
COMMANDS = {
    "prepare": (
        "glioma_idh.prepare",
        "From DICOM or NIfTI series to aligned T1, T1Gd, T2, FLAIR, ADC and rCBV.",
    ),
    "cohorts": ("glioma_idh.cohorts.__main__", "Check a cohort's images and labels, compare cohorts, make Table 1."),
    "train gbm2d": ("glioma_idh.gbm2d.train", "Train and test the 2D slice CNN (Pasquini et al. 2021)."),
    "train sgp3d": ("glioma_idh.sgp3d.train", "Train and test the 3D network SGPNet (Wang et al. 2021)."),
    "predict": ("glioma_idh.predict", "Apply the networks of a finished run to new patients."),
    "experiments": ("glioma_idh.sgp3d.experiments", "Reproduce the tables of the SGPNet paper."),
    "occlude": ("glioma_idh.sgp3d.occlude", "Show which image regions the scores of an SGPNet run come from."),
    "report": (
        "glioma_idh.report",
        "Write the report of runs, or of any predictions table, as one HTML page.",
    ),
}
"""Each command: its module, which has `main` and its `OPTIONS`, and what it does."""
HELP = f"""usage: {PROGRAM} COMMAND [OPTIONS]

IDH genotype of gliomas from MRI. For research, not for diagnosis.

Commands:
{"".join(f"  {name:<13}{text}" + chr(10) for name, (_, text) in COMMANDS.items())}
Options:
  -h, --help                Show this help and exit. After a command: show the command's options.
  --version                 Show the version and exit.
  --print-completion SHELL  Print the completion script of a shell: {", ".join(SHELLS)}.
"""


def main() -> None:
    """Call the command that is named on the command line, or list all commands."""
    words = sys.argv[1:]
    with ending_plainly():
        if not words or words[0] in ("-h", "--help"):
            print(HELP, end="")
        elif words == ["--version"]:
            print(f"{PROGRAM} {__version__}")
        elif words[0] == "--print-completion":
            print_completion(words[1:])
        else:
            call(words)


def call(words: list[str]) -> None:
    """Call the command that the first words name; it finds the others in `sys.argv`."""
    name = next((name for name in COMMANDS if words[: len(name.split())] == name.split()), None)
    if name is None:
        refuse(words)
    sys.argv = [f"{PROGRAM} {name}", *words[len(name.split()) :]]
    importlib.import_module(COMMANDS[name][0]).main()


def refuse(words: list[str]) -> None:
    """Say which commands there are, for a first word that is none of them or needs a second one."""
    second = {name: text for name, (_, text) in COMMANDS.items() if name.split()[0] == words[0]}
    if second:
        print("".join(f"{PROGRAM} {name}  {text}\n" for name, text in second.items()), end="")
        sys.exit(0 if words[1:] in (["-h"], ["--help"]) else f"Add one of the two after {PROGRAM} {words[0]}.")
    near = difflib.get_close_matches(words[0], [name.split()[0] for name in COMMANDS], n=1)
    meant = f" Did you mean {PROGRAM} {near[0]}?" if near else ""
    print(f"{PROGRAM} has no command {words[0]!r}.{meant} {PROGRAM} --help lists the commands.", file=sys.stderr)
    sys.exit(2)


def print_completion(words: list[str]) -> None:
    """Print the completion script of a shell, which knows every command and option."""
    if len(words) != 1 or words[0] not in SHELLS:
        print(f"Name the shell after --print-completion: {', '.join(SHELLS)}.", file=sys.stderr)
        sys.exit(2)
    from glioma_idh.command_line import completion_script

    print(completion_script(PROGRAM, COMMANDS, words[0]))
