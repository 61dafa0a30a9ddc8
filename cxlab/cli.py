"""The command line: check a study, draft one, make a report, explore it."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from cxlab import __version__
from cxlab.errors import DataCheckError, DataWarning, ReportError, SurveyError, SurveyWarning

WRONG_CALL, DATA_CHECK, NOTEBOOK, INTERRUPTED = 2, 3, 4, 130

app = typer.Typer(
    name="cxlab",
    help="Customer-experience survey research: one study file in, one report out.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@contextmanager
def _exits() -> Iterator[None]:
    """Turn what cxlab raises into a message and an exit code: 2 call or study, 3 data, 4 notebook."""
    try:
        yield
    except SurveyError as error:
        code = DATA_CHECK if isinstance(error, DataCheckError) else WRONG_CALL
        typer.echo(str(error), err=True)
        raise typer.Exit(NOTEBOOK if isinstance(error, ReportError) else code) from None
    except KeyboardInterrupt as stop:
        typer.echo(str(stop) or "interrupted", err=True)
        raise typer.Exit(getattr(stop, "exit_code", INTERRUPTED)) from None


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"cxlab {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    pass


@app.command()
def check(study: Annotated[Path, typer.Argument(help="A study.yml, or the folder that holds it.")]) -> None:
    """Print every problem of a study file; without problems, what the study is."""
    from cxlab.errors import StudyError
    from cxlab.study import open_study

    with _exits(), warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # the notes below say the same
        try:
            opened = open_study(study)
        except StudyError as error:
            for problem in error.problems:
                typer.echo(problem)
            typer.echo(f"{len(error.problems)} problem{'s' if len(error.problems) > 1 else ''}")
            raise typer.Exit(WRONG_CALL) from None
    typer.echo(f"{opened.name}: {opened.summary('en')}")
    for note in opened.notes:
        typer.echo(f"note: {note}")
    typer.echo("no problems")


@app.command()
def init(
    file: Annotated[Path, typer.Argument(help="A data file: .sav, .dta, .csv, .xlsx, ...")],
    name: Annotated[str | None, typer.Option(help="Id of the study; by default from the file name.")] = None,
    folder: Annotated[Path, typer.Option(help="Folder of studies.")] = Path("data"),
    outcome: Annotated[list[str] | None, typer.Option(help="Item of overall satisfaction; may be repeated.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Encoding of the file, e.g. gb18030.")] = None,
    lang: Annotated[str, typer.Option(help="Language of what is printed: en or zh.")] = "en",
    force: Annotated[bool, typer.Option("--force", help="Overwrite the study file that is there.")] = False,
) -> None:
    """Draft a study.yml from a data file alone, and say what was guessed."""
    with _exits():
        from cxlab.draft import draft_study
        from cxlab.words import language

        lang, reader = language(lang), {"encoding": encoding} if encoding else {}
        draft = draft_study(file, name=name, folder=folder, outcome=outcome, force=force, reader=reader)
        typer.echo(draft.text(lang))


@app.command()
def report(
    study: Annotated[Path, typer.Argument(help="A study.yml, or the folder that holds it.")],
    wave: Annotated[str | None, typer.Option(help="Wave label; by default the latest, 'all' without waves.")] = None,
    lang: Annotated[str, typer.Option(help="en or zh.")] = "en",
    out: Annotated[Path, typer.Option(help="Folder of reports.")] = Path("reports"),
    notebook: Annotated[str | None, typer.Option(help="Another notebook, by name or path.")] = None,
    parameter: Annotated[
        list[str] | None, typer.Option("--parameter", "-p", metavar="NAME=VALUE", help="Parameter of the notebook.")
    ] = None,
    progress: Annotated[bool, typer.Option(help="A bar while it runs, on a terminal.")] = True,
) -> None:
    """Make the report of one wave and print where it is.

    Whatever goes wrong, the previous report stays as it was. Exit codes: 0 ok, 2 wrong call or study,
    3 data check failed, 4 notebook failed.
    """
    with _exits(), warnings.catch_warnings():
        from cxlab.report.run import make_report

        warnings.simplefilter("ignore", DataWarning)  # the report has them among its notes
        given = dict(_named(text) for text in parameter or ())
        made = make_report(study, wave=wave, lang=lang, out=out, notebook=notebook, parameters=given, progress=progress)
        typer.echo(made / "report.html")


@app.command(name="app")
def app_(
    study: Annotated[Path, typer.Argument(help="A study.yml, or the folder that holds it.")],
    lang: Annotated[str, typer.Option(help="en or zh.")] = "en",
    port: Annotated[int | None, typer.Option(help="By default 8866, or the next one that is free.")] = None,
    token: Annotated[
        str | None, typer.Option(envvar="CXLAB_TOKEN", help="Refuse who does not have it; 'auto' makes one up.")
    ] = None,
    notebook: Annotated[str | None, typer.Option(help="Another notebook, by name or path.")] = None,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
) -> None:
    """Explore a study in the browser, without code: a page on this machine alone, until Ctrl-C."""
    with _exits():
        from cxlab.workbench import serve

        serve(study, lang=lang, port=port, token=token, notebook=notebook, open_browser=browser)


def _named(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (equals and name.strip()):
        raise SurveyError(f"-p is {text!r}; write it as name=value.")
    return name.strip(), value


def _show_warning(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
    """Show cxlab's own warnings as a line, others as Python does."""
    if issubclass(category, SurveyWarning):
        typer.echo(f"warning: {message}", err=True)
    else:
        sys.stderr.write(warnings.formatwarning(message, category, *where[:2]))


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):  # Chinese labels must not fail on a console of another encoding
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    warnings.showwarning = _show_warning
    app()
