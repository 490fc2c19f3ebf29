# One-word verbs; the same ones in CI. `make run` and `make test` do all the set-up a fresh clone needs.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := PIP_CONSTRAINT=constraints.txt PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install --quiet

.PHONY: run test quick compiled lint validate figures docs bench mutants fuzz api-fuzz soak tabs crash wheel lock clean

run: $(VENV)/.run        ## set up, then watch a plant answer Modbus for a day
	$(BIN)/tracertwin demo

test: $(VENV)/.test      ## set up, then lint, types, import rules and every test
	$(MAKE) --no-print-directory -j2 lint compiled
	$(BIN)/python -m pytest -n 2 --dist worksteal

quick: $(VENV)/.test     ## lint, types, import rules and the tests that need neither QEMU nor a long run; below a minute
	$(MAKE) --no-print-directory -j2 lint compiled
	$(BIN)/python -m pytest -q -n 2 --dist worksteal -m "not slow"

compiled: $(VENV)/.test  ## the plant's machine code; else both halves of the tests would make it
	$(BIN)/tracertwin compile >/dev/null

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

validate: $(VENV)/.test  ## the plant beside what others published or computed; fails outside tolerance
	$(BIN)/python -m validation

figures: $(VENV)/.test   ## the pictures of docs/physics
	$(BIN)/python -m validation figures

docs: figures            ## the generated pages and pictures, the README's too
	$(BIN)/python -m validation --markdown docs/validation.md >/dev/null
	$(BIN)/python -m tracertwin.pages.registers
	$(BIN)/python -m tracertwin.pages.stages
	$(BIN)/python -m tracertwin.pages.faults
	$(BIN)/python -m tracertwin.pages.checks
	$(BIN)/python -m tracertwin.pages.options
	$(BIN)/python -m tracertwin.pages.quantities
	$(BIN)/python -m tracertwin.scenario.wordlist
	$(BIN)/python -m tracertwin.pages.scenarios
	$(BIN)/python -m tracertwin.pages.sizing
	$(BIN)/tracertwin run --days 4 --sample 300s --plot docs/cabin.svg >/dev/null
	$(BIN)/tracertwin run cabin_inverter --days 7 --sample 300s --plot docs/cabin_inverter.svg >/dev/null

bench: $(VENV)/.bench    ## speed, as ratios beside peers run in the same call
	$(BIN)/python -m benchmarks

mutants: $(VENV)/.test   ## plant defects and run the shipped scenarios on each; fails if one survives, some ten minutes
	$(BIN)/python -m tests.mutants --write

FUZZ_S ?= 60
fuzz: $(VENV)/.fuzz compiled ## search codec, Tracer and loaders by coverage, FUZZ_S seconds each; fails on a finding
	$(BIN)/python -m tests.fuzz --seconds $(FUZZ_S)

API_EXAMPLES ?= 1000
api-fuzz: $(VENV)/.test compiled ## the API of the page under schemathesis, API_EXAMPLES for each endpoint; some ten minutes
	TRACERTWIN_API_EXAMPLES=$(API_EXAMPLES) $(BIN)/python -m pytest -q -n 2 tests/test_api_fuzz.py

soak: $(VENV)/.test      ## a year of plant time under clients of every manner, 6 minutes; fails if anything grows
	$(BIN)/python -m tests.endurance.soak

tabs: $(VENV)/.test      ## ten tabs on a year of plant time, 6 minutes; fails if memory grows or a tab misses anything
	$(BIN)/python -m tests.endurance.tabs

crash: $(VENV)/.test     ## serve --state killed at 200 random moments under load; some minutes
	$(BIN)/python -m tests.endurance.crash --kills 200

wheel: $(VENV)/.test
	$(BIN)/python -m build --wheel --no-isolation --outdir dist

lock: $(VENV)/.bench $(VENV)/.fuzz     ## write constraints.txt anew from what is installed
	$(BIN)/python -m pip freeze --exclude-editable --exclude tracertwin > constraints.txt

clean:
	rm -rf $(VENV) .fuzz dist build .pytest_cache .hypothesis .mypy_cache .ruff_cache

$(VENV)/.made:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "TracerTwin needs Python 3.11 or newer, this is " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.run: $(VENV)/.made pyproject.toml constraints.txt
	@echo "installing TracerTwin and what it needs into $(VENV), once ..."
	$(PIP) --editable .
	touch $@

$(VENV)/.test: $(VENV)/.made pyproject.toml constraints.txt
	@echo "installing TracerTwin, what it needs and its tests into $(VENV), once ..."
	$(PIP) --editable '.[test]'
	touch $@ $(VENV)/.run

$(VENV)/.bench: $(VENV)/.test
	$(PIP) --editable '.[bench]'
	touch $@

$(VENV)/.fuzz: $(VENV)/.test
	$(PIP) --editable '.[fuzz]'
	touch $@
