# Creates the environment and calls the tools in it; everything that makes a run correct lives in the Snakefile.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
EXPERIMENT ?= mnist5k
# Tests of one file share runs and pages, so that one process has them all.
WORKERS := --dist loadfile --no-loadscope-reorder

.PHONY: run new encoders ui test quick check bench bench-kernel budget mutations docs example clean

run: .venv/run
	@$(BIN)/python workflow_scripts/read_configuration.py $(ARGS)
	@$(BIN)/python -m snakemake --cores all $(ARGS)

# make new NAME=pets DATA=~/pets [TARGET=column]
new: .venv/run
	@$(BIN)/python -m heft new "$(NAME)" "$(DATA)" $(if $(TARGET),--target "$(TARGET)")

# What encoders need that are not used by default: language models, and networks of timm.
encoders: .venv/run
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements-encoders.txt

ui: .venv/run
	@$(BIN)/python workflow_scripts/ui.py

test: check
	@$(BIN)/python -m pytest -n 3 $(WORKERS)

quick: check
	@$(BIN)/python -m pytest -n 2 $(WORKERS) -m "not slow and not battery"

check: .venv/dev
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check .
	@$(BIN)/python -m snakefmt --check Snakefile rules
	@$(BIN)/python -m mypy
	@$(BIN)/python docs/method_pages.py --check
	@$(BIN)/python docs/claims.py --check
	@$(BIN)/python docs/result_table.py --check

bench: .venv/dev
	@$(BIN)/python benchmarks/attribution.py
	@$(BIN)/python benchmarks/streaming.py
	@$(BIN)/python benchmarks/agreement.py
	@$(BIN)/python benchmarks/attribution_page.py

bench-kernel: .venv/dev
	@$(BIN)/python benchmarks/kernel.py

budget: .venv/dev
	@$(BIN)/python benchmarks/training_budget.py

mutations: .venv/dev
	@$(BIN)/python benchmarks/mutations/study.py $(ARGS)

docs: .venv/run
	@$(BIN)/python docs/method_pages.py
	@$(BIN)/python docs/claims.py
	@$(BIN)/python docs/result_table.py

example: .venv/dev
	@$(BIN)/python -m snakemake --cores all --config experiments='[$(EXPERIMENT)]'
	@mkdir -p docs/example_report/$(EXPERIMENT)
	@cp $(addprefix reports/$(EXPERIMENT)/,index.html comparison.csv metrics.csv) docs/example_report/$(EXPERIMENT)/
	@$(BIN)/python docs/claims.py
	@$(BIN)/python docs/picture.py

clean:
	rm -rf results reports/*/ reports/index.html logs .snakemake mlflow.db mlflow.db-* mlruns mlartifacts
	@if [ -d .heft ]; then find .heft -mindepth 1 ! -name identity.json -delete; fi

# What is installed names this folder: where it was moved or copied, it is installed anew.
ifneq ($(shell cat .venv/run 2>/dev/null),$(CURDIR))
.PHONY: .venv/run
endif

.venv/run: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Heft needs Python 3.11 or newer; make PYTHON=python3.11 run")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing packages into .venv; this takes a few minutes."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements.txt
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps -e .
	@printf %s "$(CURDIR)" > $@

.venv/dev: .venv/run requirements-dev.txt requirements-encoders.txt
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements-dev.txt
	@touch $@
