"""``python -m trustsmith_sandbox``: serve the sandbox, or do what people do in it.

Flags to options, nothing else.
"""

from __future__ import annotations

from pathlib import Path

import click

from trustsmith_sandbox import people

_PATH = click.Path(dir_okay=False, path_type=Path)


@click.group()
def main() -> None:
    """Pretend to be Azure and GitHub, on loopback."""


@main.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Port to listen on; default: a free one."
)
@click.option("--endpoints-file", type=_PATH, help="Write the JSON that --endpoints reads.")
@click.option("--env-file", type=_PATH, help="Write what to export, last of all.")
@click.option("--log", type=_PATH, help="Append one JSON object for each request.")
@click.option("--latency", type=click.FloatRange(0), default=0, metavar="MS", help="Delay every answer.")
@click.option(
    "--lag", type=click.FloatRange(0), default=0, metavar="S", help="What is written is seen later."
)
@click.option(
    "--seed", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Start with this world."
)
@click.option("--production-names", is_flag=True, help="Answer as the public hosts, by Host header.")
@click.option("--no-runner", is_flag=True, help="Leave dispatched workflows queued: execute nothing.")
@click.option(
    "--actions",
    type=click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path),
    help="Run the actions in that folder, OWNER/NAME[@REF], as they are.",
)
def serve(
    *,
    port: int,
    endpoints_file: Path | None,
    env_file: Path | None,
    log: Path | None,
    latency: float,
    lag: float,
    seed: Path | None,
    production_names: bool,
    no_runner: bool,
    actions: Path | None,
) -> None:
    """Serve until interrupted; print what to export."""
    from trustsmith_sandbox import serve as server

    options = server.Options(
        port,
        endpoints_file,
        env_file,
        log,
        latency / 1000,
        lag,
        seed,
        production_names,
        not no_runner,
        actions,
    )
    try:
        server.run(options)
    except (OSError, ValueError) as reason:
        raise click.ClickException(str(reason)) from None


main.add_command(people.push, "push")
main.add_command(people.pull, "pull")
main.add_command(people.run, "run")
main.add_command(people.approve, "approve")


@main.command()
@click.option("--into", type=_PATH, metavar="DOC", help="Replace the table at the end of that document.")
def coverage(*, into: Path | None) -> None:
    """Print the table of routes that docs/sandbox.md ends with."""
    from trustsmith_sandbox.coverage import table

    if into is None:
        click.echo(table(), nl=False)
        return
    before = into.read_text(encoding="utf-8").partition(table().partition("\n")[0])[0]
    into.write_text(before + table(), encoding="utf-8")


if __name__ == "__main__":
    main(prog_name="python -m trustsmith_sandbox")
