"""The documentation says what the program does: flags, hazards, exit codes, links and command lines.

`python -m tests.unit.test_docs` writes the generated tables into the pages, and the configuration's JSON Schema.
"""

from __future__ import annotations

import ast
import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest
from ruamel.yaml import YAML

from trustsmith import __version__, aadsts, editorschema, errors
from trustsmith.cli import COMMANDS, cli
from trustsmith.configfile import load
from trustsmith.configkeys import KEYS
from trustsmith.doctor import CHECKS
from trustsmith.render import catalogue, problems
from trustsmith.ui import report_templates
from trustsmith_sandbox.__main__ import main, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trustsmith.configshapes import Key

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(r"(<!-- ([a-z]+): ([\w.-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_COMMAND = re.compile(r"^\s*(?:\$ |- run: )(.*\btrustsmith .*)$")
_ARGUMENTS = {
    "[PLAN]": "A plan that was saved.",
    "[CODE]": "One of Entra's codes, such as AADSTS700213.",
    "[NAME]": "One template.",
}
_OPERATORS = {"|", "||", "&&", ";", ">", ">>", "<", "&"}


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


# -- what is generated ------------------------------------------------------------------------------------------


def _command(name: str) -> click.Command:
    context = click.Context(cli)
    command = cli if name == "trustsmith" else cli.get_command(context, name)
    assert command is not None, name
    return command


def _options(command: click.Command) -> list[click.Option]:
    return [param for param in command.params if isinstance(param, click.Option)]


def flags(name: str) -> str:
    """The flags of a command as a table, without those that every command has."""
    shared = {option.name for option in _options(cli)} if name != "trustsmith" else set()
    options = [option for option in _options(_command(name)) if option.name not in shared]
    rows = [_row(option) for option in options]
    arguments = [p for p in _command(name).params if isinstance(p, click.Argument)]
    shown = [argument.make_metavar(click.Context(cli)) for argument in arguments]
    rows[:0] = [f"| `{metavar}` | {_ARGUMENTS[metavar]} |" for metavar in shown]
    return "\n".join(["", "| flag | meaning |", "|---|---|", *rows, "", ""])


def _row(option: click.Option) -> str:
    shown = option.get_help_record(click.Context(cli))
    assert shown is not None
    return f"| `{_cell(shown[0])}` | {_cell(shown[1])} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def signins(_: str) -> str:
    """Entra's codes as a table, in the words that the program uses."""
    rows = [
        f"| `{m.code}`{' *' if m.passing else ''} | {_cell(m.says)} | {_cell(m.cause)} | {_cell(m.next)} |"
        for m in sorted(aadsts.MEANINGS, key=lambda m: m.code)
    ]
    head = ["| code | what it means | usual cause | what to do |", "|---|---|---|---|"]
    return "\n".join(["", *head, *rows, "", ""])


def template(name: str) -> str:
    """A template's options and operations as tables."""
    found = report_templates.as_json(catalogue()[name])
    options = [
        f"| `{o['name']}` | {o['kind']} | {_default(o)} | {_cell(o['about'])}{_values(o['values'])} |"
        for o in found["options"]
    ]
    done = [
        f"| {o['does']}{_when(o['when'])} | {o['at']} | `{o['action']}`{' (data)' if o['data'] else ''} |"
        for o in found["operations"]
    ]
    takes = ", ".join(f"`{key}`" for key in found["takes"]) or "none of `run`, `paths` and `reusable`"
    order = "one after another, or side by side" if found["in_order"] else "side by side"
    parts = [f"Jobs: {order}. Takes {takes}.", ""]
    if options:
        parts += ["| option | kind | default | meaning |", "|---|---|---|---|", *options, ""]
    parts += ["| its jobs | at the | which takes |", "|---|---|---|", *done]
    return "\n".join(["", *parts, "", ""])


def _values(values: list[str] | None) -> str:
    return f" One of: {', '.join(f'`{value}`' for value in values)}." if values else ""


def _default(option: dict[str, Any]) -> str:
    needed = option["required"]
    if needed is False:
        return f"`{json.dumps(option['default'])}`"
    return "required" if needed is True else f"required{_when(needed)}"


def _when(condition: dict[str, list[Any]]) -> str:
    """A condition: "(with `scope`: `subscription`)"."""
    parts = [f"`{name}`: {' or '.join(f'`{v}`' for v in values)}" for name, values in condition.items()]
    return f" (with {', '.join(parts)})" if parts else ""


def templates(_: str) -> str:
    """All templates as a table."""
    rows = [f"| [`{name}`](templates/{name}.md) | {one.purpose} |" for name, one in catalogue().items()]
    return "\n".join(["", "| template | what for |", "|---|---|", *rows, "", ""])


def keys(section: str) -> str:
    """The keys of a section of the configuration as a table."""
    rows = [
        f"| `{name}` | {_cell(key.shape.words)} | {_left_out(key)} | {_cell(key.meaning)} |"
        for name, key in KEYS["" if section == "file" else section].items()
    ]
    return "\n".join(["", "| key | type | default | meaning |", "|---|---|---|---|", *rows, "", ""])


def _left_out(key: Key) -> str:
    """What stands for a key that is left out."""
    if key.required or key.default is None:
        return "required" if key.required else key.otherwise
    quoted = isinstance(key.default, str) and "{" in key.default
    return f"`{json.dumps(key.default)}`" if quoted or isinstance(key.default, bool) else f"`{key.default}`"


def action(part: str) -> str:
    """The action's inputs or outputs as a table."""
    found = YAML(typ="safe", pure=True).load(_text(ROOT / "action.yml"))[part]
    defaults = {
        name: f"`{one.get('default')}`" if "default" in one else "required" for name, one in found.items()
    }
    if part == "inputs":
        rows = [
            f"| `{name}` | {defaults[name]} | {_cell(one['description'])} |" for name, one in found.items()
        ]
        return "\n".join(["", "| input | default | meaning |", "|---|---|---|", *rows, "", ""])
    rows = [f"| `{name}` | {_cell(one['description'])} |" for name, one in found.items()]
    return "\n".join(["", "| output | meaning |", "|---|---|", *rows, "", ""])


_WRITERS = {
    "action": action,
    "keys": keys,
    "flags": flags,
    "codes": signins,
    "template": template,
    "templates": templates,
}


def _generated(text: str) -> str:
    return _BLOCK.sub(lambda found: found[1] + _WRITERS[found[2]](found[3]) + found[4], text)


GENERATED = [
    "action.md",
    "commands.md",
    "configuration.md",
    "templates.md",
    "troubleshooting.md",
    *(f"templates/{name}.md" for name in catalogue()),
]


@pytest.mark.parametrize("page", GENERATED)
def test_generated_tables_are_what_the_program_says(page: str) -> None:
    text = _text(DOCS / page)
    assert _BLOCK.search(text)
    assert text == _generated(text), "write them anew: python -m tests.unit.test_docs"


_ABOUT = "version: 1\nrepository: contoso/agents\ntenant: 11111111-1111-1111-1111-111111111111\n"
_PROJECT = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg/providers/Microsoft.CognitiveServices"


def _example(block: str) -> str:
    """A whole file out of the part of one that a page shows."""
    names = () if "environments:\n" in block else ("staging", "prod")
    some = "".join(f"  {name}: {{project: {_PROJECT}/accounts/{name}/projects/a}}\n" for name in names)
    return _ABOUT + (f"environments:\n{some}" if names else "") + block


@pytest.mark.parametrize("name", catalogue())
def test_examples_on_the_pages_of_templates_are_right(name: str) -> None:
    blocks = [
        found[2] for found in _FENCE.finditer(_text(DOCS / "templates" / f"{name}.md")) if found[1] == "yaml"
    ]
    for block in (block for block in blocks if not block.startswith("jobs:")):
        config = load(_example(block), name).config
        found = [problem for one in config.workflows for problem in problems(one, catalogue())]
        assert not found
        assert "workflows:" not in block or config.workflows[0].template in catalogue()


def test_every_section_of_the_configuration_is_documented() -> None:
    tables = [found[3] for found in _BLOCK.finditer(_text(DOCS / "configuration.md"))]
    assert sorted(tables) == sorted(name or "file" for name in KEYS)


def test_every_command_is_documented() -> None:
    sections = re.findall(r"^## ([a-z]+)$", _text(DOCS / "commands.md"), re.MULTILINE)
    assert sections == list(COMMANDS)
    tables = [found[3] for found in _BLOCK.finditer(_text(DOCS / "commands.md"))]
    own = [name for name in COMMANDS if {o.name for o in _options(_command(name))} - _shared()]
    assert tables == ["trustsmith", *own]


def _shared() -> set[str | None]:
    return {option.name for option in _options(cli)}


def test_the_sandbox_page_has_its_flags() -> None:
    page = _text(DOCS / "sandbox.md")
    assert [name for option in _options(serve) for name in option.opts if f"| `{name}" not in page] == []


# -- hazards and exit codes ---------------------------------------------------------------------------------------


def test_every_hazard_has_its_section() -> None:
    files = ["hazards", "flows/destroy", "flows/survey"]
    files += ["migrate/expansion", "migrate/contract", "migrate/proof"]
    code = "".join(_text(ROOT / f"src/trustsmith/{name}.py") for name in files)
    raised = set(re.findall(r'f"([a-z][a-z-]*)=\{', code))
    assert len(raised) > 5
    assert set(re.findall(r"^### `([a-z-]+)=", _text(DOCS / "safety.md"), re.MULTILINE)) == raised


def test_every_check_of_doctor_has_its_section() -> None:
    sections = re.findall(r"^### `([a-z-]+)`$", _text(DOCS / "doctor.md"), re.MULTILINE)
    assert sorted(sections) == sorted(check.id for check in CHECKS)
    assert len(set(sections)) == len(sections)


def _kinds(kind: type[errors.TrustsmithError]) -> Iterator[type[errors.TrustsmithError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _kinds(child)


def test_every_exit_code_has_its_row() -> None:
    codes = {0, *(kind.exit_code for kind in _kinds(errors.TrustsmithError))}
    rows = re.findall(r"^\| (\d+) \|", _text(DOCS / "safety.md"), re.MULTILINE)
    assert [int(row) for row in rows] == sorted(codes)
    assert {int(code) for code in re.findall(r"(\d+) [a-z]", str(cli.epilog).partition("codes:")[2])} == codes


# -- messages -------------------------------------------------------------------------------------------------------


def _texts() -> list[str]:
    """Every text in the code; of an f-string the parts between what is filled in."""
    files = (ROOT / "src" / "trustsmith").rglob("*.py")
    nodes = (node for file in files for node in ast.walk(ast.parse(_text(file))))
    return [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def _quoted() -> list[str]:
    """What the tables of troubleshooting say that the program says; `…` stands for what is filled in."""
    table = re.compile(r"^\| what it says \|.*\n\|[-|]+\n((?:\|.*\n)+)", re.MULTILINE)
    rows = [
        row for found in table.finditer(_text(DOCS / "troubleshooting.md")) for row in found[1].splitlines()
    ]
    return [re.sub(r" \([0-9].*?\)$", "", row.split(" | ")[0].removeprefix("| ")).strip() for row in rows]


def test_quoted_messages_are_said_so() -> None:
    texts = _texts()
    quoted = _quoted()
    assert len(quoted) > 30
    parts = [(message, part.strip()) for message in quoted for part in message.split("…")]
    wrong = {message for message, part in parts if not any(part in text for text in texts)}
    assert not wrong


# -- links ----------------------------------------------------------------------------------------------------------


def _anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to a page's headings."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", _text(page)), re.MULTILINE)
    names = (re.sub(r"\]\([^)]*\)", "", heading).lower() for heading in headings)
    return {re.sub(r"[^\w\- ]", "", name).strip().replace(" ", "-") for name in names}


def _links() -> Iterator[tuple[Path, str, str]]:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)\s]+)\)", _FENCE.sub("", _text(page))):
            if not re.match(r"[a-z]+:", target):
                path, _, anchor = target.partition("#")
                yield page, path, anchor


def test_links_and_anchors_lead_somewhere() -> None:
    broken = []
    for page, path, anchor in _links():
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            broken.append(f"{page.name}: {path}#{anchor}")
    assert not broken


def test_the_readme_leads_to_every_page() -> None:
    linked = {(page.parent / path).resolve() for page, path, _ in _links() if page.name == "README.md"}
    assert [page.name for page in sorted(DOCS.glob("*.md")) if page not in linked] == []


# -- command lines ----------------------------------------------------------------------------------------------------


def _blocks() -> Iterator[tuple[Path, str]]:
    for page in PAGES:
        for block in _FENCE.finditer(_text(page)):
            yield page, block[2].replace("\\\n", " ")


def _lines() -> Iterator[tuple[str, list[str]]]:
    """The page, and the words of each call of trustsmith in a block, without what the shell does with it."""
    for page, block in _blocks():
        for line in filter(None, map(_COMMAND.match, block.splitlines())):
            words = shlex.shlex(line[1], posix=True, punctuation_chars=True)
            words.whitespace_split = True
            for call in _calls(words):
                if call[:1] == ["trustsmith"]:
                    yield page.name, call[1:]


def _calls(words: Any) -> Iterator[list[str]]:
    call: list[str] = []
    for word in words:
        if word in _OPERATORS:
            yield call
            call = []
        elif call or not re.match(r"[A-Z_]+=", word):
            call.append(word)
    yield call


def understand(words: list[str]) -> None:
    """As click does it, and nothing more. Raises UsageError."""
    context = click.Context(cli, info_name="trustsmith")
    _, rest, _ = cli.make_parser(context).parse_args(list(words))
    name, command, arguments = cli.resolve_command(context, rest) if rest else ("", None, [])
    if command is None or {"-h", "--help"} & set(arguments):
        return
    if name == "sandbox" and arguments[:1] and arguments[0] in main.commands:
        command = main.commands[arguments.pop(0)]  # not a context: its endpoints file need not be there
        command.make_parser(click.Context(command)).parse_args(arguments)
        return
    if name == "sandbox":
        command = serve
    command.make_context(name, arguments, parent=context)


def test_command_lines_are_understood() -> None:
    wrong, seen = [], 0
    for page, words in _lines():
        seen += 1
        try:
            understand(words)
        except click.UsageError as error:
            wrong.append(f"{page}: trustsmith {shlex.join(words)}: {error.format_message()}")
    assert not wrong, "\n".join(wrong)
    assert seen > 30


@pytest.mark.parametrize("line", ["setpu", "plan --chekc", "plan --only nobody", "sandbox --prot 1"])
def test_a_wrong_command_line_is_noticed(line: str) -> None:
    with pytest.raises(click.UsageError):
        understand(line.split())


def test_flags_in_the_text_exist() -> None:
    known = {name for option in _options(serve) for name in option.opts}
    known |= {n for c in ("trustsmith", *COMMANDS) for o in _options(_command(c)) for n in o.opts}
    written = re.findall(r"`(?:trustsmith [^`]*)?(--[a-z-]+)[^`]*`", _text(ROOT / "README.md"))
    written += [
        flag for name in ("commands", "safety", "how-it-works") for flag in _flags(DOCS / f"{name}.md")
    ]
    assert set(written) - known - {"--help", "--version"} == set()


def _flags(page: Path) -> list[str]:
    return re.findall(r"`(?:trustsmith [^`]*)?(--[a-z-]+)[^`]*`", _FENCE.sub("", _text(page)))


def test_make_has_the_targets_that_the_pages_name() -> None:
    targets = set(re.findall(r"^([a-z]+):", _text(ROOT / "Makefile"), re.MULTILINE))
    named = {
        (page.name, name)
        for page, block in _blocks()
        for name in re.findall(r"^\$ make ([a-z]+)", block, re.MULTILINE)
    }
    assert {("README.md", "demo"), ("README.md", "test")} <= named
    assert {name for _, name in named} <= targets


def test_actions_in_the_pages_are_pinned_as_in_the_templates() -> None:
    pins = json.loads(_text(ROOT / "templates" / "actions.json"))
    known = {f"{name}@{pin['sha']} # {pin['version']}" for name, pin in pins.items()}
    known.add(f"trustsmith/trustsmith@v{__version__}")
    assert {use.strip() for _, block in _blocks() for use in re.findall(r"uses: ([^.\n].+)", block)} <= known


if __name__ == "__main__":
    for generated in PAGES:
        old = _text(generated)
        if (new := _generated(old)) != old:
            generated.write_text(new, encoding="utf-8", newline="\n")
    (DOCS / editorschema.URL.rpartition("/")[2]).write_text(editorschema.text(), "utf-8", newline="\n")
