# For developers, on Linux and macOS (GNU make 3.81 is enough). Everything goes into .venv and .tools.
# `make` alone says what there is.

SHELL := /bin/sh
BIN := .venv/bin
STAMP := .venv/.installed
AZ_STAMP := .tools/azcli/.installed
PIP_FLAGS := --quiet --disable-pip-version-check
# `make test ARGS="-k subject"` hands its words to pytest.
ARGS :=
# `make lock UPGRADE=--upgrade` moves to the newest versions; without it only what pyproject.toml asks for changes.
UPGRADE :=
# `make demo PYTHON=/opt/python3.12/bin/python3` takes this one; without it the newest of the usual names is found.
PYTHON :=
WORKFLOWS := .github/workflows/*.yml
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header

.PHONY: help demo test coverage lint format lock stock bench clean

help:
	@echo 'make demo     the whole story on the sandbox, in about a minute'
	@echo 'make test     the tests                         (ARGS="-k subject" goes to pytest)'
	@echo 'make coverage the tests, and which lines they reach (slower)'
	@echo 'make lint     style, types, import directions, workflows'
	@echo 'make format   lay the code out as lint wants it'
	@echo 'make lock     write the two files of locked requirements (UPGRADE=--upgrade for newer versions)'
	@echo 'make stock    the checks with stock az and gh   (installs az into .tools)'
	@echo 'make bench    measure'
	@echo 'make clean    remove what was built and installed'
	@echo 'PYTHON=/path/to/python3 chooses the interpreter; 3.11 or newer is needed.'

demo: $(STAMP)
	@$(BIN)/trustsmith demo

test: $(STAMP)
	$(BIN)/pytest $(ARGS)

coverage: $(STAMP)
	$(BIN)/pytest --cov --cov-report=term $(ARGS)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy src tests templates $(wildcard bench/*.py)
	$(BIN)/lint-imports --no-logo
	$(BIN)/zizmor --quiet --offline --persona=pedantic .github action.yml
	$(BIN)/actionlint $(WORKFLOWS)

format: $(STAMP)
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

# No header, no annotations: the file holds names, versions and hashes, and is the same wherever it is written.
# The second one is the part of it that action.yml installs.
lock: $(STAMP)
	$(LOCK) --extra sandbox --group dev $(UPGRADE) pyproject.toml --output-file requirements.lock
	$(LOCK) --constraint requirements.lock pyproject.toml --output-file requirements-run.lock

stock: $(STAMP) $(AZ_STAMP)
	TRUSTSMITH_REQUIRE_STOCK=1 $(BIN)/pytest tests/stock $(ARGS)

bench: $(STAMP)
	@for script in bench/*.py; do echo "== $$script"; $(BIN)/python "$$script" || exit 1; done

clean:
	rm -rf .venv .tools dist build .coverage .coverage.* htmlcov coverage.xml
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find src tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

# Each name is tried by running it: a version manager's shim may stand there for a Python that is not installed.
# Debian ships Python without ensurepip, in which case venv makes a folder without pip.
.venv/bin/python:
	@python='$(PYTHON)'; \
	if [ -z "$$python" ]; then \
	  for name in python3.13 python3.12 python3.11 python3; do \
	    if "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	      python=$$name; break; \
	    fi; \
	  done; \
	fi; \
	if [ -z "$$python" ]; then \
	  echo 'trustsmith needs Python 3.11 or newer, and none was found as python3.13, python3.12, python3.11 or python3.' >&2; \
	  echo 'Install one (Debian: apt-get install python3 python3-venv; macOS: brew install python@3.13),' >&2; \
	  echo 'or name one: make PYTHON=/path/to/python3' >&2; \
	  exit 1; \
	fi; \
	if ! "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then \
	  echo "$$python is not Python 3.11 or newer." >&2; exit 1; \
	fi; \
	if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then \
	  echo "$$python cannot make virtual environments. Debian: apt-get install python3-venv" >&2; exit 1; \
	fi; \
	echo "Setting up .venv with $$("$$python" --version) ..."; \
	"$$python" -m venv .venv

$(STAMP): .venv/bin/python requirements.lock pyproject.toml
	@echo 'Installing the locked requirements ...'
	@$(BIN)/python -m pip install $(PIP_FLAGS) --require-hashes --no-deps --requirement requirements.lock
	@$(BIN)/python -m pip install $(PIP_FLAGS) --no-deps --no-build-isolation --editable .
	@touch $@

$(AZ_STAMP): tests/stock/requirements.txt .venv/bin/python
	@echo 'Installing the Azure CLI into .tools ...'
	@$(BIN)/python -m venv .tools/azcli
	@.tools/azcli/bin/python -m pip install $(PIP_FLAGS) --requirement tests/stock/requirements.txt
	@touch $@
