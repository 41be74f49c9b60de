# Thin: every target is one call. `make demo` and `make test` work on a bare Debian 12 with git and make.
.PHONY: setup oracles build tool demo test test-long zoo bench fuzz asan docs fmt clean
setup: ; @scripts/setup
oracles: ; @scripts/setup oracles
build: setup ; @scripts/build
tool: setup ; @scripts/build release lockstep_tool
demo: tool ; @scripts/demo
test: oracles build ; @scripts/test
test-long: oracles build ; @scripts/test --long
zoo: setup ; @scripts/build release zoo && build/bench/zoo --scale 0.12 --work 4e9 --out docs/measured/zoo.md
bench: oracles tool ; @scripts/bench
asan: setup ; @scripts/build asan
fuzz: setup ; @scripts/fuzz
docs: tool ; @build/bin/lockstep docs --write docs
fmt: ; @scripts/format
clean: ; @rm -rf build
