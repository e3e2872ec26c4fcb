# make sim: set up and watch a robot do what a sentence says.  make test: set up and run every check.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
ROBOT ?= panda
ifeq ($(ROBOT),panda)
TASK ?= put the red cube in the bowl
else
TASK ?= trot forward slowly, then stand still
endif
SEED ?= 0
# The nodes, tests and tools are found here without being installed twice.
export AMENT_PREFIX_PATH := $(abspath $(VENV))
export PATH := $(abspath $(BIN)):$(PATH)

.PHONY: sim test check setup clean

setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml $(shell find ros2_ws/src -name package.xml -o -name setup.py -o -name '*.msg' -o -name '*.srv' -o -name '*.action')
	@tools/system_packages.sh $(PYTHON)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable ".[fm,train,sweep,view,ros,pybullet,dev]"
	$(BIN)/python -m pip install --quiet ./ros2_ws/src/fmrl_msgs ./ros2_ws/src/tf2_msgs
	$(BIN)/python -m pip install --quiet setuptools
	$(BIN)/python -m pip install --quiet --no-build-isolation --no-deps --editable ./ros2_ws/src/fmrl_nodes
	$(BIN)/python -m pip install --quiet --no-build-isolation --no-deps ./ros2_ws/src/fmrl_bringup ./ros2_ws/src/fmrl_description
	@touch $@

sim: setup
	$(BIN)/fmrl up --robot $(ROBOT) --seed $(SEED) --task "$(TASK)"

test: setup
	$(MAKE) check

check:
	ruff format --check .
	ruff check .
	pyright
	lint-imports
	codespell
	python -m pytest -m 'not graph' -n 3 --dist loadfile
	python -m pytest -m graph

clean:
	rm -rf $(VENV) build dist
