# Thin: every target is one call. `make demo` and `make test` work on a bare Debian 12 with git and make.
.PHONY: setup oracles build demo test test-long zoo bench fuzz asan docs fmt lint clean
setup: ; @scripts/setup
oracles: ; @scripts/setup oracles
build: setup ; @scripts/build
demo: build ; @scripts/demo
test: oracles build ; @scripts/test
test-long: oracles build ; @scripts/test --long
asan: setup ; @scripts/build asan
fuzz: setup ; @scripts/fuzz
docs: build ; @build/bin/lockstep docs --write docs
fmt: ; @git ls-files '*.cpp' '*.h' | xargs clang-format -i
clean: ; @rm -rf build
