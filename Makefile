# One-word verbs; the same ones in CI. `make run` and `make test` do all the set-up a fresh clone needs.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := PIP_CONSTRAINT=constraints.txt PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install --quiet

.PHONY: run test lint validate figures docs bench crash wheel lock clean

run: $(VENV)/.run        ## set up, then watch a plant answer Modbus for a day
	$(BIN)/tracertwin demo

test: $(VENV)/.test      ## set up, then lint, types, import rules and every test
	$(MAKE) --no-print-directory lint
	$(BIN)/python -m pytest -n 2 --dist loadfile

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
	$(BIN)/python -m modbus.registerpage
	$(BIN)/python -m plant.rules
	$(BIN)/tracertwin run --days 4 --sample 300s --plot docs/cabin.svg >/dev/null

bench: $(VENV)/.test     ## speed, as ratios beside peers run in the same call
	$(BIN)/python -m benchmarks

crash: $(VENV)/.test     ## serve --state killed at 200 random moments under load; some minutes
	$(BIN)/python -m tests.endurance.crash --kills 200

wheel: $(VENV)/.test
	$(BIN)/python -m build --wheel --no-isolation --outdir dist

lock: $(VENV)/.test      ## write constraints.txt anew from what is installed
	$(BIN)/python -m pip freeze --exclude-editable --exclude tracertwin > constraints.txt

clean:
	rm -rf $(VENV) dist build .pytest_cache .hypothesis .mypy_cache .ruff_cache

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
