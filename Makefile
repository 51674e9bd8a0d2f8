# `make` alone says what there is.

GO       ?= go
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT   ?= $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
LDFLAGS   = -X main.version=$(VERSION) -X main.commit=$(COMMIT)
SERVICES  = $(GO) run ./internal/withservices

# The packages that hold the rules of selling, and how much of each tests must reach.
DOMAIN    = tenants commerce billing webhooks
LEAST     = 80
comma    := ,
COVERAGE  = -covermode=atomic $(if $(COVERED),-coverpkg=$(COVERED)) -coverprofile=coverage/coverage.out
CHART     = cd helm && $(GO) test -vet=off -ldflags=-w
COVERED   = $(subst $() ,$(comma),$(foreach d,$(wildcard $(DOMAIN)),./$(d)/...))
ADMIN     = web/admin/dist/built/index.html
GO_FILES  = $(shell git ls-files --cached --others --exclude-standard '*.go' '*.sql' '*.yaml' '*.csv' '*.conf' go.mod go.sum)

.DEFAULT_GOAL := help
.PHONY: help dev reset build admin without-admin generate manifests terraform-schemas fmt screenshots test compiled catalogues bench bench-layers rehearse check clean
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

## ---- every day

dev: build ## run the whole platform on this machine, with two demo stores
	@exec bin/stoa dev

reset: build ## throw away everything that make dev keeps
	@bin/stoa reset

build: $(if $(shell command -v npm),$(ADMIN),without-admin) ## build the program into bin/, with the back office where Node.js is there
	@$(GO) build -ldflags '$(LDFLAGS)' -o bin/ ./cmd/...

admin: $(ADMIN) ## build the back office, which the program then contains

# Vite builds all of it anew in a few seconds whenever one of its files has changed.
$(ADMIN): $(wildcard $(shell git ls-files --cached --others --exclude-standard web/admin ":!*.go")) web/admin/node_modules/.package-lock.json
	@npm --prefix web/admin run --silent build -- --logLevel warn
	@touch $@

web/admin/node_modules/.package-lock.json: web/admin/package-lock.json
	@npm --prefix web/admin ci --no-audit --no-fund --loglevel=error

without-admin:
	@echo 'Without Node.js 20.19 or later the program has no back office; all else works.'

generate: ## make all generated files anew
	@$(GO) generate ./...

manifests: ## render deploy/manifests from helm/stoa anew, and what else is made of the chart
	@cd helm && $(GO) run ./generate

terraform-schemas: ## read the schema of the cloud's provider anew, of the kinds that terraform/ uses
	@$(GO) build -C terraform/check -o $(CURDIR)/bin/schemas ./schema/extract
	@cd terraform && $(CURDIR)/bin/schemas

fmt: ## format all Go files
	@$(GO) tool goimports -w -local github.com/stoacommerce/stoa $$(git ls-files --cached --others --exclude-standard '*.go' | grep -v '\.gen\.go$$\|_templ\.go$$')

screenshots: ## make pictures of all pages of a running make dev, and the README's
	@$(GO) run ./internal/screenshots $(ARGS)

## ---- tests

# What go vet finds is told by make check, and nobody debugs these binaries: both cost a minute.
test: ## run all tests, with the race detector, against real services; ARGS="-run Name ./commerce/…" for some
	@scripts/install-deps
	@$(MAKE) --no-print-directory -j3 node_modules/.package-lock.json admin compiled
	@mkdir -p coverage
	@$(SERVICES) $(GO) tool gotestsum --format pkgname --format-hide-empty-pkg -- \
		-race -vet=off -ldflags=-w -timeout 15m $(or $(ARGS),$(COVERAGE) ./...) 2>&1 | tee coverage/test.txt
	@$(if $(ARGS),,$(CHART) -timeout 15m ./...)

# The compiler works while npm waits for the network: on what others wrote, as it is the same with and
# without coverage.
compiled:
	@$(GO) list -deps -test -f '{{with .Module}}{{if not .Main}}{{$$.ImportPath}}{{end}}{{end}}' ./... | xargs $(GO) build -race

catalogues: ## import every catalogue of the folder STOA_CATALOGUES, twice, export it into another store, and say what came of it
	@$(SERVICES) $(GO) test -tags catalogues -count=1 -timeout 30m -v -run '^TestCatalogues$$' ./commerce/imports

bench: node_modules/.package-lock.json ## measure the program on real services, and write what came of it into docs/performance.md
	@scripts/install-deps
	@$(SERVICES) $(GO) test -run '^$$' -bench . -benchtime 1x -timeout 40m $(or $(ARGS),./internal/bench/...) -page $(CURDIR)/docs/performance.md

bench-layers: ## measure single layers, each by itself; ARGS=./platform/limits for some
	@$(SERVICES) $(GO) test -run '^$$' -bench . -benchtime 1s $(or $(ARGS),$(shell $(GO) list ./... | grep -v /internal/bench))

# Packages with rehearsals, which lie behind a build tag. They write one page, so they go one after the other.
REHEARSED = $(addprefix ./,$(sort $(dir $(shell git grep -l --untracked 'stoa/internal/rehearsal"' -- '*_test.go'))))

rehearse: node_modules/.package-lock.json ## cause on purpose what operators fear, and write what came of it into docs/operations.md
	@scripts/install-deps --rehearse
	@$(SERVICES) $(GO) test -tags rehearse -count=1 -p 1 -timeout 90m -v $(or $(ARGS),-run '^TestRehearse' $(REHEARSED)) -args -page $(CURDIR)/docs/operations.md

## ---- checks

QUALITY = check-format check-vet check-lint check-staticcheck check-walls check-generated check-manifests check-contract check-breaking check-admin check-workflows
CHECKS  = $(QUALITY) check-coverage
.PHONY: quality check-terraform $(CHECKS)

# What makes files anew goes first; then two at a time, as some of them use one processor alone.
checked = failed=0; \
	$(MAKE) --no-print-directory check-generated || failed=1; \
	$(MAKE) --no-print-directory --keep-going --jobs=2 --output-sync=target $(filter-out check-generated,$(1)) || failed=1; \
	exit $$failed

check: ## hold the project against all its rules; says everything that is wrong
	@$(call checked,$(CHECKS))

quality: ## … all that can be said before the tests have measured coverage
	@$(call checked,$(QUALITY))

check-format: ## … Go files are formatted
	@wrong=$$($(GO) tool goimports -l -local github.com/stoacommerce/stoa $$(git ls-files --cached --others --exclude-standard '*.go' | grep -v '\.gen\.go$$\|_templ\.go$$' | xargs ls 2>/dev/null)); \
	[ -z "$$wrong" ] || { echo "not formatted (make fmt):"; echo "$$wrong"; exit 1; }

check-vet: ## … go vet finds nothing
	@$(GO) vet ./...
	@cd helm && $(GO) vet ./...

check-lint: ## … nor do the analyzers of internal/lint
	@$(GO) build -o bin/lint ./internal/lint
	@$(GO) vet -vettool=$(CURDIR)/bin/lint -errcheck.exclude=$(CURDIR)/internal/lint/unchecked.txt ./...

check-staticcheck: ## … nor does staticcheck
	@$(GO) tool staticcheck ./...

check-walls: ## … packages know only what they may, and files are in order
	@$(GO) test -count=1 ./internal/house

check-generated: ## … generated files are current
	@scripts/check-generated

check-manifests: ## … and so are the manifests and what else is made of the chart
	@$(CHART) -count=1 -run '^TestWhatIsMadeOfTheChartIsCurrent$$' .

check-contract: node_modules/.package-lock.json ## … the contract is well formed
	@npm run --silent lint:contract

check-breaking: ## … and breaks no client of the main branch
	@$(GO) run ./openapi/contract/breaking

check-admin: web/admin/node_modules/.package-lock.json ## … the back office fits the contract, and its types and rules hold
	@npm --prefix web/admin run --silent check

check-workflows: ## … what a pipeline is told is well formed, and so are the tools that it uses
	@GOFLAGS= $(GO) test -C scripts/tools ./...
	@$(TOOL) actionlint -shellcheck= -pyflakes=

# OpenTofu is compiled for it, which takes minutes the first time: pipelines call it where terraform/ has changed.
check-terraform: ## hold terraform/ against the cloud's provider by OpenTofu, and run its tests; needs no cloud
	@$(GO) test -C terraform/check -count=1 ./...

check-coverage: coverage/coverage.out ## … tests reach enough of the domain packages
	@$(GO) run ./internal/coverage -profile coverage/coverage.out -least $(LEAST) $(DOMAIN)

# make test leaves it behind; only where that is older than the sources is it measured here.
coverage/coverage.out: $(GO_FILES)
	@mkdir -p coverage
	@$(SERVICES) $(GO) test $(COVERAGE) ./... >coverage/measured.txt || \
		{ cat coverage/measured.txt; rm -f $@; exit 1; }

node_modules/.package-lock.json: package-lock.json
	@npm ci --no-audit --no-fund --loglevel=error

clean: ## remove what was built
	@rm -rf bin coverage web/admin/dist/built

## ---- ship

# What a pipeline calls, and a person can call just as well; docs/pipeline.md tells the stages.

PLATFORMS ?= linux/amd64 linux/arm64 darwin/amd64 darwin/arm64
IMAGE     ?= ghcr.io/stoacommerce/stoa
TAG       ?= $(VERSION)
TOOL       = GOFLAGS= $(GO) tool -modfile=scripts/tools/go.mod
BUILT_BY   = $(if $(BUILDER),-builder $(BUILDER))

SECURITY   = security-code security-vulnerabilities security-secrets security-licences security-packages

.PHONY: environment $(SECURITY) security release release-verify image image-push registry-login deploy deploy-test sonar

environment: ## install what building, testing and checking needs, and say what there is
	@scripts/install-deps
	@$(MAKE) --no-print-directory node_modules/.package-lock.json web/admin/node_modules/.package-lock.json
	@$(GO) mod download
	@$(GO) version; node --version | sed 's/^/node /'; git --version; psql --version 2>/dev/null || true

security: ## look for weaknesses, known vulnerabilities, secrets and licences; says everything that is wrong
	@$(MAKE) --no-print-directory --keep-going $(SECURITY)

security-code: ## … gosec finds no weakness in what is linked into the program
	@$(TOOL) gosec -quiet -exclude-generated -conf scripts/security/gosec.json $$($(GO) list -deps -f '{{if .Module}}{{if .Module.Main}}{{.Dir}}{{end}}{{end}}' ./cmd/stoa)

security-vulnerabilities: ## … govulncheck none that is known, and that the program can reach
	@scripts/security/vulnerabilities

security-secrets: ## … gitleaks no secret, in the history and in what is not committed yet
	@$(TOOL) gitleaks git --no-banner --redact --config .gitleaks.toml .
	@git ls-files -z --others --modified --exclude-standard | xargs -0 -r cat 2>/dev/null | $(TOOL) gitleaks stdin --no-banner --redact --config .gitleaks.toml

security-licences: ## … all that the program is made of may be passed on
	@GOFLAGS= $(GO) build -C scripts/tools -o $(CURDIR)/bin/licences ./licences
	@bin/licences scripts/security/licences.txt ./cmd/stoa web/admin/package-lock.json

security-packages: ## … npm knows of nothing wrong with the back office's packages
	@npm --prefix web/admin audit --omit dev --audit-level moderate

release: $(ADMIN) ## build what is published into bin/release: archives for PLATFORMS, sums, SBOMs, provenance, what changed
	@$(GO) run ./internal/release $(BUILT_BY) -to bin/release $(PLATFORMS)
	@cd bin/release && sha256sum --check --quiet SHA256SUMS && ls -l

release-verify: ## build the release twice, in different folders and from nothing, and compare each byte
	@scripts/release-verify $(PLATFORMS)

image: $(ADMIN) ## build the image, its SBOM and its provenance into bin/image, by docker or buildah
	@$(GO) run ./internal/release -image -to bin/image linux/$(shell $(GO) env GOARCH)
	@scripts/image $(IMAGE):$(TAG)

image-push: $(ADMIN) ## … and push it to where IMAGE says
	@$(GO) run ./internal/release -image -to bin/image linux/$(shell $(GO) env GOARCH)
	@scripts/image $(IMAGE):$(TAG) --push

registry-login: ## … having told the registry who REGISTRY_USER is, by REGISTRY_PASSWORD
	@printf '%s' "$$REGISTRY_PASSWORD" | $$(docker info >/dev/null 2>&1 && echo docker || echo buildah) login --username "$$REGISTRY_USER" --password-stdin $(firstword $(subst /, ,$(IMAGE)))

deploy: ## install or upgrade the chart in the cluster that kubectl speaks to; ENV=dev, staging or prod
	@scripts/deploy $(ENV) $(IMAGE) $(TAG)

deploy-test: ## see whether what is deployed works; ENV=dev, staging or prod
	@helm test "$${RELEASE:-stoa}" --namespace "$${NAMESPACE:-stoa-$(ENV)}" --logs --timeout 5m

sonar: coverage/coverage.out ## analyse with SonarQube and wait for its gate; needs sonar-scanner, SONAR_HOST_URL and SONAR_TOKEN
	@sonar-scanner -Dsonar.projectVersion=$(VERSION) -Dsonar.qualitygate.wait=true
