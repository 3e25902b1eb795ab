# Two commands do everything on a fresh machine with Python >= 3.11: `make demo` and `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TORCH := 2.13.0
# Small tensors spin on many threads: one step of the demo's network took 0.23 s on one, 2.7 s on two busy ones.
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1

.PHONY: demo test lint browser bench site release lowest clean

demo: $(VENV)/demo.stamp
	$(BIN)/noisylabels demo demo

test: $(VENV)/test.stamp browser lint
	$(BIN)/pytest -n 2 --dist loadfile --durations 20

# On a machine that does nothing else: docs/benchmarks.md says so where it did.
bench: $(VENV)/bench.stamp browser
	$(BIN)/python -m benchmarks

# What a release is made of: wheel and sdist, checked; the licences and the bill of materials of all that comes along.
release: $(VENV)/release.stamp
	rm -rf dist
	$(BIN)/python -m build --outdir dist
	$(BIN)/twine check --strict dist/*
	$(BIN)/pip-licenses --from=mixed --with-urls --order=license --format=csv --output-file=dist/licences.csv
	$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-file dist/sbom.json $(BIN)/python

# The oldest versions that pyproject.toml allows, in an environment of their own; torch is the one that is tested, and
# what newer packages deprecate in older ones is no error. The versions on the bundles' cards are those of `make test`.
lowest: $(VENV)/release.stamp
	$(BIN)/uv pip compile --quiet --resolution lowest-direct --extra test pyproject.toml --output-file $(VENV)/lowest.txt
	rm -rf $(VENV)/lowest && $(PYTHON) -m venv $(VENV)/lowest
	grep -Ev '^(torch|nvidia|triton|cuda)' $(VENV)/lowest.txt > $(VENV)/lowest-but-torch.txt
	$(VENV)/lowest/bin/pip install --quiet --disable-pip-version-check torch==$(TORCH)
	$(BIN)/uv pip install --quiet --python $(VENV)/lowest --no-deps -r $(VENV)/lowest-but-torch.txt --editable .
	$(VENV)/lowest/bin/python -m pytest -n 2 --dist loadfile -m "not slow and not browser" -W ignore::DeprecationWarning \
	  --deselect tests/bundles/test_zoo_demands.py::test_every_package_is_pinned_to_a_version_that_was_tested

# The pages as a site: site/index.html.
site: $(VENV)/test.stamp
	$(BIN)/mkdocs build

lint: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

# torch first and alone: a range would let pip take a CUDA build of several gigabytes.
$(VENV)/torch.stamp:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check torch==$(TORCH)
	touch $@

$(VENV)/demo.stamp: $(VENV)/torch.stamp pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check torch==$(TORCH) --editable .
	touch $@

# No bytecode ahead of time: of three hundred packages the tests import a part.
$(VENV)/test.stamp: $(VENV)/torch.stamp pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --no-compile torch==$(TORCH) --editable '.[test]'
	touch $@

$(VENV)/release.stamp: $(VENV)/torch.stamp pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check torch==$(TORCH) --editable '.[release]'
	touch $@

$(VENV)/bench.stamp: $(VENV)/torch.stamp pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check torch==$(TORCH) --editable '.[bench]'
	touch $@

# The browser that the annotation tests drive; where it cannot be had, those tests are left out by name.
browser:
	@command -v chromium >/dev/null || { \
	  command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && \
	  apt-get update -qq && apt-get install -y -qq chromium >/dev/null; } || \
	  echo "No Chromium: the tests marked 'browser' will be left out."

clean:
	rm -rf $(VENV) demo site
