# Every target only calls programs that you could type yourself: `make -n demo` shows them.
PYTHON ?= python3
BIN := .venv/bin
UV := $(shell command -v uv 2>/dev/null)
AS_ROOT := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

.DEFAULT_GOAL := help
.PHONY: help demo test check unit cluster-test java browser compiler filesystems faults docs lab receiver bench lock clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/.ok  ## play thirty days of a small business through the real receiver and write its weekly report
	$(BIN)/ctm demo

test: check unit docs  ## set everything up, run all checks and all tests

check: .venv/.ok  ## style, types, architecture and SQL, without running the program
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sqlfluff lint ctm_analytics/sql

unit: .venv/.ok .venv-cluster/.ok browser compiler  ## all tests on all cores, with the coverage gate
	$(BIN)/pytest -n auto --dist loadfile --cov --cov-report=term --cov-fail-under=90

cluster-test: .venv/.ok java .venv-spark/.ok  ## all models on an Apache Spark cluster of one master and two workers (needs Java)
	CTM_CLUSTER=spark $(BIN)/pytest tests/cluster

java:
	@command -v java >/dev/null || { \
	  echo "NOT TESTED ON APACHE SPARK: there is no Java here. Install Java 17 or newer and run make cluster-test again."; exit 1; }

browser:  # the report is tested in Debian's Chromium
	@command -v chromium >/dev/null || { \
	  command -v apt-get >/dev/null || { echo "make test opens the report in Chromium: install 'chromium' and run it again."; exit 1; }; \
	  $(AS_ROOT) apt-get update -q && $(AS_ROOT) apt-get install -qy --no-install-recommends chromium fonts-dejavu-core; }

compiler:  # the fault tests build a small C library that lets calls of the operating system fail
	@printf '#include <stdio.h>\nint main(void) { return 0; }\n' | cc -x c -o /dev/null - 2>/dev/null || { \
	  command -v apt-get >/dev/null || { echo "make test builds a small C library: install a C compiler and run it again."; exit 1; }; \
	  $(AS_ROOT) apt-get update -q && $(AS_ROOT) apt-get install -qy --no-install-recommends gcc libc6-dev; }

faults: .venv/.ok .venv-faults/.ok compiler filesystems  ## the long sweeps of faults: kills, power cuts, full disks, mutants (two hours)
	$(AS_ROOT) env CTM_FAULTS=sweep CTM_FAULTS_SCALE=$${CTM_FAULTS_SCALE:-1} $(BIN)/pytest -s tests/faults

filesystems:  # make faults cuts the power of file systems of its own
	@command -v xfs_io >/dev/null && command -v mkfs.xfs >/dev/null && command -v mkfs.ext4 >/dev/null || { \
	  command -v apt-get >/dev/null || { echo "make faults needs e2fsprogs and xfsprogs: install them and run it again."; exit 1; }; \
	  $(AS_ROOT) apt-get update -q && $(AS_ROOT) apt-get install -qy --no-install-recommends e2fsprogs xfsprogs; }

docs: .venv-docs/.ok  ## build the documentation's site; every link and anchor in it must lead somewhere
	NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --strict  # with --quiet it would overlook what is wrong
	@echo "build/site/index.html"

lab: .venv/.ok  ## open JupyterLab at the start notebook, on this machine only
	$(BIN)/ctm lab

receiver: .venv/.ok  ## run the receiver (needs CTM_APP_SECRET and CTM_VERIFY_TOKEN)
	$(BIN)/ctm receive

bench: .venv/.ok .venv-peers/tables/.ok  ## measure speed side by side with the alternatives (half an hour)
	$(BIN)/python benchmarks/receiving.py
	$(BIN)/python benchmarks/imports.py
	$(BIN)/python benchmarks/attribution.py
	$(BIN)/python benchmarks/recovery.py
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/peers.py
	$(BIN)/python benchmarks/scale.py

lock: .venv/.ok  ## pin every dependency again, with hashes (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --upgrade \
	  --extra workbench --extra object-store --extra cluster --extra test pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --upgrade \
	  pyproject.toml -o requirements-receiver.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --upgrade \
	  --group docs -o requirements-docs.lock
	echo 'pysail>=0.7.2' | uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --upgrade - -o requirements-cluster.lock
	echo 'pyspark>=4.3,<5' | uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --upgrade - -o requirements-spark.lock
	echo 'atheris>=3' | uv pip compile --generate-hashes --no-header --no-annotate --upgrade - -o requirements-faults.lock
	{ grep -oE '^(duckdb|pandas|pyarrow)==[0-9.]+' requirements.lock; printf 'polars\nchdb\n'; } | uv pip compile --universal \
	  --python-version 3.11 --generate-hashes --no-header --no-annotate --upgrade - -o requirements-peers.lock

clean:  ## remove what can be made again: the environment, caches and the demo (your data stays)
	rm -rf .venv .venv-cluster .venv-docs .venv-faults .venv-peers .venv-spark build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage* data/demo

.venv/.ok: requirements.lock pyproject.toml
ifeq ($(UV),)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed: make PYTHON=python3.11 …"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { command -v apt-get >/dev/null \
	  && $(AS_ROOT) apt-get update -q && $(AS_ROOT) apt-get install -qy python3-venv; } || { \
	  echo "Python's venv module is missing: install 'python3-venv' and run make again."; exit 1; }
	@echo "Setting up .venv: about 130 packages, a minute or two, once."
	$(PYTHON) -m venv .venv
	@# The lock is whole: with dependencies pip would look for newer ones, and stop at the first that has no hash here.
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
else
	uv venv --quiet --allow-existing --python $(PYTHON) .venv
	uv pip install --quiet --compile-bytecode --python .venv --require-hashes -r requirements.lock
	uv pip install --quiet --python .venv --no-deps --no-build-isolation --editable .
endif
	@touch $@

# Polars, pandas and ClickHouse, beside which benchmarks/peers.py runs ours.
.venv-peers/tables/.ok: requirements-peers.lock
ifeq ($(UV),)
	$(PYTHON) -m venv .venv-peers/tables
	.venv-peers/tables/bin/python -m pip install --quiet --no-deps --require-hashes -r requirements-peers.lock
else
	uv venv --quiet --allow-existing --python $(PYTHON) .venv-peers/tables
	uv pip install --quiet --python .venv-peers/tables --require-hashes -r requirements-peers.lock
endif
	@touch $@

# The fuzzer has wheels for few versions of Python, so it lives apart; it needs what the receiver needs.
.venv-faults/.ok: requirements-faults.lock requirements-receiver.lock
ifeq ($(UV),)
	$(PYTHON) -m venv .venv-faults
	.venv-faults/bin/python -m pip install --quiet --no-deps --require-hashes -r requirements-receiver.lock -r requirements-faults.lock
else
	uv venv --quiet --allow-existing --python $(PYTHON) .venv-faults
	uv pip install --quiet --python .venv-faults --require-hashes -r requirements-receiver.lock -r requirements-faults.lock
endif
	@touch $@

# These live apart, too: Sail, for one, does not run beside Apache Spark's package.
.venv-cluster/.ok .venv-docs/.ok .venv-spark/.ok: .venv-%/.ok: requirements-%.lock
ifeq ($(UV),)
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --no-deps --require-hashes -r $<
else
	uv venv --quiet --allow-existing --python $(PYTHON) $(@D)
	uv pip install --quiet --python $(@D) --require-hashes -r $<
endif
	@touch $@
