# Two commands matter: `make demo` and `make test`. Each makes .venv from the hashed locks and does its job.
PYTHON ?= python3
SERVE ?= yes
DEMO ?= data/demo
MINUTES ?= 100
BIN := .venv/bin
# Tests start hundreds of processes; none of them shall have to compile the bank anew, or look through all that
# is installed for plug-ins of pydantic's, of which the bank uses none.
export PYTHONDONTWRITEBYTECODE :=
export PYDANTIC_DISABLE_PLUGINS := __all__
# They make and drop hundreds of databases: in memory, where that has room and runs programs, at a quarter of the cost.
ROOM = df -Pk /dev/shm | awk 'NR == 2 && $$4 > 4000000 { print "TMPDIR=/dev/shm" }'
MEMORY := $(shell grep ' /dev/shm ' /proc/mounts 2>/dev/null | grep -vq noexec && $(ROOM))
LOCK := $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --quiet
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet

.PHONY: demo test types laws bench nightly format lock schemas clean

demo: .venv/runtime
	$(BIN)/creditbank --home $(DEMO) demo $(if $(filter no,$(SERVE)),--no-serve)

test: .venv/development
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(MAKE) --no-print-directory --jobs 2 types laws

types: .venv/development
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .

laws: .venv/development
	$(MEMORY) $(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder --ignore tests/benchmarks

bench: .venv/peers
	$(BIN)/pytest -m benchmark tests/benchmarks -p no:xdist -q -s $(if $(filter yes,$(WRITE)),--write) $(if $(filter yes,$(MILLION)),--million)

nightly: .venv/development
	$(BIN)/python -m tests.faults --minutes $(MINUTES)

format: .venv/development
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: .venv/development
	$(LOCK) --group build --output-file requirements.txt
	$(LOCK) --group build --group dev --output-file requirements-dev.txt
	$(LOCK) --group build --group dev --group peers --output-file requirements-peers.txt

schemas: .venv/development
	$(BIN)/creditbank schemas schemas

clean:
	rm -rf .venv data build *.egg-info

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv

.venv/runtime: requirements.txt pyproject.toml | .venv/bin/python
	@echo "Installing what the bank needs, from hashed locks (about a minute) …"
	$(PIP) --require-hashes --requirement requirements.txt
	$(PIP) --no-build-isolation --no-deps --editable .
	@touch $@

.venv/development: requirements-dev.txt pyproject.toml | .venv/bin/python
	@echo "Installing what the bank and its tests need, from hashed locks (about a minute) …"
	$(PIP) --require-hashes --requirement requirements-dev.txt
	$(PIP) --no-build-isolation --no-deps --editable .
	@touch $@ .venv/runtime

.venv/peers: requirements-peers.txt .venv/development
	@echo "Installing what the benchmarks compare the bank with, from hashed locks …"
	$(PIP) --require-hashes --requirement requirements-peers.txt
	@touch $@
