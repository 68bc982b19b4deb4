# `make help` lists what there is. Needed: Go, Node.js with npm, make, and a C compiler for the race detector.
# What is built lies in .build and dist; `make clean` removes both.

BUILD     := .build
COLLECTOR := dist/otelcol-amazonkinesis
NPM       := $(BUILD)/npm
GO_FILES  := $(wildcard *.go) internal

# Tests with the race detector take a C compiler; without one they run all the same, and say so.
RACE := $(if $(shell command -v $$(go env CC)),-race)

.DEFAULT_GOAL := help
.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: collector $(NPM)/.installed ## ship a log file to a local Kinesis and read everything back
	@go build -o $(BUILD)/demo ./internal/cmd/demo
	@$(BUILD)/demo -collector $(COLLECTOR) -npm $(NPM)

.PHONY: test
test: check collector $(NPM)/.installed ## check the code, run all tests, also against two local Kineses
	@$(if $(RACE),,echo "No C compiler: the tests run without the race detector.")
	@go build -o $(BUILD)/gotest ./internal/cmd/gotest
	OTELCOL=$(abspath $(COLLECTOR)) $(BUILD)/gotest -npm $(NPM) -- $(RACE) ./...

.PHONY: check
check: $(BUILD)/staticcheck ## check formatting, go vet, staticcheck
	@unformatted=$$(gofmt -l $(GO_FILES)); if [ -n "$$unformatted" ]; then \
		echo "not formatted, run make fmt:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	$(BUILD)/staticcheck ./...

.PHONY: fmt
fmt: ## format the code
	gofmt -w $(GO_FILES)

.PHONY: bench
bench: ## measure the cost of a record against the SDK and the bare wire
	go run ./internal/cmd/bench

.PHONY: chaos
chaos: collector ## run the collector through every fault and count what arrives
	go run ./internal/cmd/chaos

# The sources of the collector are generated anew only when its components or their versions
# change; compiling is left to Go's own cache.
.PHONY: collector
collector: dist/main.go ## build the collector of builder-config.yaml
	@echo "Building $(COLLECTOR) (the first time takes minutes) ..."
	@cd dist && CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o otelcol-amazonkinesis .

dist/main.go: builder-config.yaml go.mod $(BUILD)/ocb
	$(BUILD)/ocb --config builder-config.yaml --skip-compilation
	@touch $@

$(BUILD)/ocb: internal/tools/go.mod
	@echo "Building the collector builder ..."
	@cd internal/tools && go build -o $(abspath $@) go.opentelemetry.io/collector/cmd/builder

$(BUILD)/staticcheck: internal/tools/go.mod
	@echo "Building staticcheck ..."
	@cd internal/tools && go build -o $(abspath $@) honnef.co/go/tools/cmd/staticcheck

$(NPM)/.installed: $(addprefix internal/localkinesis/,package.json package-lock.json .npmrc loopback.cjs)
	@echo "Installing kinesis-local and kinesalite ..."
	@mkdir -p $(NPM) && cp $^ $(NPM)/
	@cd $(NPM) && npm ci --no-update-notifier --loglevel=error
	@touch $@

.PHONY: clean
clean: ## remove everything that was built
	rm -rf $(BUILD) dist
