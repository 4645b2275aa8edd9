"""jinja2, set up so that GitHub's `${{ }}` is left alone, every value is quoted, and an error names template and line.

Templates run in jinja2's sandbox: in a pull request's check, somebody else may have written them.
"""

from __future__ import annotations

import re
import traceback
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from trustsmith.errors import TrustsmithError, UsageError
from trustsmith.render.catalogue import SUFFIX, part
from trustsmith.render.check import RuleError, check, structure
from trustsmith.render.ink import Bare, Block, InkError, MisrenderedError, Page, UnfitError, plain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import CodeType

    from jinja2.bccache import Bucket

    from trustsmith.model.pins import Pin
    from trustsmith.render.catalogue import Template
    from trustsmith.render.content import Content

_PAGE: ContextVar[Page] = ContextVar("page")
_DOCS = "What templates may use: docs/templates.md, or\n  trustsmith templates --format json"


class _Compiled(jinja2.BytecodeCache):
    """Templates that this process has compiled, by name and text: that takes ten times as long as to render them.

    What an engine has of its own, its pins, is not in what is compiled: a `Bare` is no constant for jinja2.
    """

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Put what there is into the bucket."""
        if code := self._codes.get((bucket.key, bucket.checksum)):
            bucket.code = code

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what is in the bucket."""
        if bucket.code:
            self._codes[bucket.key, bucket.checksum] = bucket.code


_COMPILED = _Compiled()


class Engine:
    """Renders templates, those of the folder `own` among them. pins: by action."""

    def __init__(self, pins: Mapping[str, Pin], own: Path | None = None) -> None:
        self._pins = pins
        self._own = own
        self._jinja = (
            ImmutableSandboxedEnvironment(  # (no autoescape: that is for HTML; `_finalize` quotes for YAML)
                loader=jinja2.FunctionLoader(self._source),
                bytecode_cache=_COMPILED,
                undefined=jinja2.StrictUndefined,
                finalize=_finalize,
                block_start_string="[%",
                block_end_string="%]",
                variable_start_string="[[",
                variable_end_string="]]",
                comment_start_string="[#",
                comment_end_string="#]",
                trim_blocks=True,
                lstrip_blocks=True,
                keep_trailing_newline=True,
            )
        )
        self._jinja.filters.update(block=Block, literal=literal, pinned=self._pinned, plain=plain)

    def _source(self, name: str) -> tuple[str, str, None] | None:
        """A template's text, its name in messages, and None for "it does not change meanwhile"."""
        file = part(name, self._own)
        return (file.read_text(encoding="utf-8-sig"), str(file), None) if file is not None else None

    def _pinned(self, action: str) -> Bare:
        """`action@commit # version`: the commit counts, the comment is for people and for tools that update it."""
        if action not in self._pins:
            raise InkError(
                f"{action!r} has no pin; give it one with trustsmith render --pin {action}@VERSION"
            )
        pin = self._pins[action]
        return Bare(f"{pin.use} # {pin.version}")

    def body(self, template: Template, content: Content) -> str:
        """The rendered text, without the header.

        Raises UsageError for an own template that is broken, or a value that cannot be where it is wanted; MisrenderedError when
        a template of ours comes out other than it was meant.
        """
        page = Page()
        token = _PAGE.set(page)
        name = template.name + SUFFIX
        try:
            marked = self._jinja.get_template(name).render(vars(content))
            body = page.finish(marked)
            named = {name for job in content.jobs for name in job.environments}
            # Of somebody's template the text itself counts: a value may be a key there, or a word like `write`.
            text, value = (body, str) if template.own else (marked, page.value)
            check(structure(text), value, named, own=template.own)
        except UnfitError as error:
            raise UsageError(f"Workflow {content.name!r}: {error}.", hint=error.hint) from None
        except TrustsmithError:
            raise
        except Exception as error:  # whatever a template's expressions may raise
            if not template.own:
                raise MisrenderedError(f"workflow {content.name!r}: {error}") from error
            raise _explained(name, error, content) from None
        finally:
            _PAGE.reset(token)
        return body


def _explained(name: str, error: Exception, content: Content) -> UsageError:
    """What is wrong with somebody's template."""
    line, file = _place(error, name)
    said = " ".join(str(error).split()).rstrip(".")  # on one line, whatever the template makes of it
    where = f"{file}, line {line}" if line else file
    if isinstance(error, RuleError):
        return UsageError(
            f"{file}: {said}.", hint="Give the job an environment of the workflow: [[ job.environment ]]"
        )
    if isinstance(error, jinja2.UndefinedError):
        said = re.sub(r"'trustsmith\S* object'", "what stands there", said)
        known = ", ".join(sorted(vars(content)))
        return UsageError(f"{where}: {said}.", hint=f"There is: {known}.\n{_DOCS}")
    if isinstance(error, UnicodeDecodeError):
        return UsageError(f"{file} is not UTF-8 text.", hint="Save it again with the encoding UTF-8.")
    return UsageError(f"{where}: {said}.", hint=_DOCS)


def _place(error: Exception, name: str) -> tuple[int | None, str]:
    """The template's line in which something was raised, and its file."""
    if isinstance(error, jinja2.TemplateSyntaxError):
        return error.lineno, error.filename or name
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename.endswith((SUFFIX, ".j2"))
    ]
    return (frames[-1].lineno, frames[-1].filename) if frames else (None, name)


@jinja2.pass_context
def _finalize(_: Any, value: Any) -> str:
    """What `[[ ]]` writes. It is handed the context so that jinja2 does not compute it when it compiles."""
    if isinstance(value, jinja2.Undefined):
        str(value)  # raises, and says what is not known
    return _PAGE.get().take(value)


def literal(text: str) -> str:
    """Text as it is written inside an expression: in single quotes, doubled within (GitHub Docs, "Literals")."""
    return "'" + text.replace("'", "''") + "'"
