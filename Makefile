# What people and CI call. `make help` lists it.
GO ?= go

# Git refuses a checkout that belongs to somebody else, and would take every
# build with it. The version is then left out of the program.
export GOFLAGS := $(GOFLAGS) -buildvcs=$(shell git rev-parse HEAD >/dev/null 2>&1 && echo auto || echo false)

.DEFAULT_GOAL := help
.PHONY: help run test check bench build generate setup torture fuzz ha-test scan

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## set up what is missing and serve the demo on http://127.0.0.1:8080
	@tools/setup run
	@$(GO) build -o bin/landmark ./cmd/landmark
	@exec bin/landmark serve --demo

test: ## set up what is missing and run every test
	@tools/setup test
	$(GO) test -race -timeout 20m ./internal/torture ./... # the longest first, beside all the others
	@$(MAKE) --no-print-directory e2e/node_modules/.package-lock.json
	cd e2e && $(GO) test -timeout 20m ./...

e2e/node_modules/.package-lock.json: e2e/package-lock.json e2e/package.json
	cd e2e && npm ci --silent

check: ## everything CI checks: generated files, format, vet, staticcheck, modules, tests
	@tools/setup test
	@tools/check-generated
	@unformatted=$$(git ls-files --cached --others --exclude-standard -- '*.go' | xargs $$($(GO) env GOROOT)/bin/gofmt -l); \
	if [ -n "$$unformatted" ]; then echo "not formatted, run gofmt -w: $$unformatted" >&2; exit 1; fi
	$(GO) vet ./...
	$(GO) vet -tags ha ./internal/torture
	$(GO) vet -tags measure ./internal/server
	cd e2e && $(GO) vet ./...
	$(GO) tool staticcheck ./...
	$(GO) mod tidy -diff
	cd e2e && $(GO) mod tidy -diff
	$(MAKE) test

bench: build ## benchmarks with allocations, and pages against nginx with the same bytes
	@tools/setup bench
	@tools/bench bin/bench.txt
	$(GO) test -run '^$$' -bench . -benchmem ./...

build: ## bin/landmark, one static binary
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w' -o bin/landmark ./cmd/landmark

torture: ## the fault tests and their table; FULL=1 runs the long sizes
	@log=$$(mktemp); { $(GO) test -count=1 -timeout 180m -v ./internal/torture ./cmd/landmark ./internal/reporting ./internal/store ./internal/server ./internal/landmark ./internal/sheet ./migrations; echo $$? >$$log.status; } \
	| tee $$log | grep -E '^(---|ok|FAIL|panic)'; \
	printf '\npromise | rounds | lost | doubled | longest gap\n'; grep -oE 'P[0-9]+ [^|]+[|].*' $$log | sort -V; \
	status=$$(cat $$log.status); rm -f $$log $$log.status; exit $$status

fuzz: ## each parser for FUZZTIME (60s) on made-up input
	@for package in $$(grep -rl --include='*_test.go' '^func Fuzz' internal | xargs -n1 dirname | sort -u); do \
		for target in $$(grep -h '^func Fuzz' $$package/*_test.go | sed 's/^func //; s/(.*//'); do \
			said=$$($(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(or $(FUZZTIME),60s) ./$$package 2>&1) || { echo "$$said"; exit 1; }; \
			echo "P28 $$target | $$(echo "$$said" | grep elapsed | tail -n 1)"; \
		done; \
	done

ha-test: ## two programs, two databases, HAProxy and the rest of deploy/ha on loopback; FULL=1 for long, OLD=REVISION to upgrade from
	@tools/setup ha
	$(GO) test -tags ha -count=1 -timeout 60m -v -run "TestHighAvailability|TestRemindersOnce" ./internal/torture

scan: ## security scanners, those that are installed; SCAN_URL=http://127.0.0.1:8080 tries a demo too
	@tools/scan

generate: ## format the templates and make their Go code, which is committed
	$(GO) tool templ fmt .
	$(GO) tool templ fmt .
	$(GO) tool templ generate

setup: ## install what the tests need (Debian packages)
	@tools/setup test
