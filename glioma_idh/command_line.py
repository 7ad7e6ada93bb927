"""How every command reads its options, shows its help, and is completed by a shell."""

import contextlib
import importlib
import io
from typing import Annotated, Any, Union

import tyro

from glioma_idh.errors import ending_plainly
from glioma_idh.record import typed_command

CONFIG = (tyro.conf.OmitArgPrefixes, tyro.conf.OmitSubcommandPrefixes, tyro.conf.FlagCreatePairsOff)
TRAINING = tyro.conf.arg(name="Training")  # headings of the help: "Training options" and "Input and output options"
INPUT_OUTPUT = tyro.conf.arg(name="Input and output")
SWITCH = tyro.conf.arg(help_behavior_hint="")  # an option without a value; its text says what happens without it
BASH_FILES = "complete -o default -F _tyro_{0} {1}"  # file names where tyro's completion has none, as for RUN_DIR


def option(metavar: str, default: str | None = None):
    """An option whose value is shown as `metavar`; `default` says in words what is used without it ("": nothing)."""
    hint = f"(default: {default})" if default else default
    return tyro.conf.arg(metavar=metavar, help_behavior_hint=hint)


def subcommands(options: dict[str, Any], texts: dict[str, str] | None = None):
    """The type of a command that has others, by name: dataclasses, functions, or dictionaries of those."""
    parts = []
    for name, of in options.items():
        of = subcommands(of) if isinstance(of, dict) else of
        text = (texts or {}).get(name)
        parts.append(Annotated[Any, tyro.conf.subcommand(name=name, constructor=of, description=text)])
    return Union[tuple(parts)]  # noqa: UP007


def parse(options, module: str, description: str):
    """What `options`, a dataclass or function, make of the command line; the help names the command as it was typed."""
    prog = typed_command(module)
    description = description.replace(f"python -m {module}", prog)
    with ending_plainly():
        return tyro.cli(options, prog=prog, description=description, config=CONFIG)


def completion_script(program: str, commands: dict[str, tuple[str, str]], shell: str) -> str:
    """The completion script of a shell for a program, from the module and the text of each command."""
    options: dict[str, Any] = {}
    for name, (module, _) in commands.items():
        first, *rest = name.split()
        own = importlib.import_module(module).OPTIONS
        if rest:
            options.setdefault(first, {})[rest[0]] = own
        else:
            options[first] = own
    texts = {name: text for name, (_, text) in commands.items()} | {"train": "Train and test a network."}
    words = ["--tyro-print-completion", shell]
    with contextlib.redirect_stdout(io.StringIO()) as script, contextlib.suppress(SystemExit):
        tyro.cli(subcommands(options, texts), prog=program, args=words, config=CONFIG)
    files = BASH_FILES.format(program.replace("-", "_"), program) if shell == "bash" else ""
    return script.getvalue() + files
