# Supermax. `make run` does the main job on this machine, `make test` passes the tests;
# each works as the first command on a fresh checkout. `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

include scripts/cgo.mk

STUDY    ?= configs/study/quickstart.yaml
HPO_TASK ?= criteria
PKG      ?= ./...
SUPERMAX := bin/supermax

# Packages that link no libtorch: they also run under the race detector.
PURE = $(shell CGO_ENABLED=0 go list ./cmd/... ./shared/... ./lambdas/... ./configs/... ./data/... \
	./batchjob/tokenizer/... ./batchjob/textlines/... ./batchjob/dataset/... ./batchjob/safetensors/... ./batchjob/mapped/... ./batchjob/torchfile/... ./batchjob/pretrained/... ./batchjob/sched/... \
	./batchjob/slot/... ./batchjob/support/... ./batchjob/baseline/...)

.PHONY: help deps build run test test-short test-race test-cov test-golden test-load e2e chaos bench-ask lint clean \
	localstack-up localstack-down test-localstack lint-infra image-push trainer gotch models stage-a stage-b stage-c supermax-all baseline-benchmark bench-tensor test-architectures hpo-validate-architectures bench-search bench-backbones bench-simulate bench-tokenizers

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-20s %s\n", $$1, $$2}'

deps: ## fetch libtorch into .deps (or use the one that LIBTORCH names)
	@bash scripts/deps.sh

build: deps ## build bin/supermax, bin/supermax-query and bin/trainer (the first time 5 minutes, of which 4 are gotch)
	@mkdir -p bin
	CGO_ENABLED=0 go build -o $(SUPERMAX) ./cmd/supermax
	go build -o bin/supermax-query ./cmd/supermax-query
	go build -o bin/trainer ./batchjob/cmd/trainer

models: build # the quickstart's backbones: tiny BERTs with random weights and a vocabulary of the sample corpus
	@$(SUPERMAX) models init models/tiny-48 --like bert --layers 2 --hidden 48 --heads 4 --intermediate 96 --corpus data/sample/groundtruth
	@$(SUPERMAX) models init models/tiny-64 --like bert --layers 2 --hidden 64 --heads 4 --intermediate 128 --corpus data/sample/groundtruth

run: models ## run the quickstart study, or STUDY=file, through stages A, B and C
	@$(SUPERMAX) run $(STUDY)

test: deps ## run every test, against an emulator that it starts and stops
	@bash scripts/with-emulator.sh go test -timeout 20m ./...

e2e: build ## deploy to the emulator, run the README's execution and the saved queries, destroy
	@bash scripts/e2e.sh e2e

chaos: build ## the same with a small study under disasters: killed trainers, failing services
	@bash scripts/e2e.sh chaos

bench-ask: build ## what ask takes of a deployed function at 1,000 trials, above an empty one
	@bash scripts/e2e.sh bench

test-load: ## 200 slots over 5,000 trials at once on DynamoDB (the emulator's), and again with faults
	@bash scripts/with-emulator.sh go test -count=1 -timeout 80m -v -run '^TestContention' ./tests/load -trials 5000 -slots 200

test-short: deps ## run the tests that take seconds
	go test -short -timeout 10m ./...

test-race: ## run the tests of all packages without libtorch under the race detector
	go test -race -short -timeout 20m $(PURE)

test-golden: deps ## run the golden tests of PKG (default all) against SUPERMAX_GOLDEN (default tests/golden)
	go test -count=1 -timeout 20m -run '^TestGolden' $(PKG)

localstack-up: ## start the AWS emulator (or find it running) and print how to reach it
	@bash localstack/up.sh

localstack-down: ## stop the AWS emulator
	@bash localstack/down.sh

test-localstack: ## test the emulator's launcher, on a port of its own
	@bash localstack/venv.sh .deps/localstack/venv
	PYTHONDONTWRITEBYTECODE=1 .deps/localstack/venv/bin/python -m unittest discover -s localstack/tests -t localstack

test-cov: deps ## measure the coverage of shared, lambdas and batchjob
	@bash scripts/with-emulator.sh bash scripts/coverage.sh

lint: deps ## go vet and golangci-lint
	go vet ./...
	go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.13.1 run ./...

lint-infra: ## lint the CloudFormation templates with cfn-lint
	@bash scripts/lint-infra.sh

image-push: ## build the trainer's image and push it to the deployed STACK (default Supermax)
	@bash scripts/image.sh $(or $(STACK),Supermax)

trainer: deps # bin/trainer alone, for batchjob/Dockerfile
	@mkdir -p bin
	go build -o bin/trainer ./batchjob/cmd/trainer

gotch: deps # gotch's C++ alone, which takes minutes: a layer of the image
	go build github.com/sugarme/gotch/libtch

stage-a stage-b stage-c: stage-%: models ## run one stage of HPO_TASK's study (criteria, evidence, share or joint)
	@$(SUPERMAX) stage $* $(STUDY) --agent $(HPO_TASK)

supermax-all: models ## run all three stages of HPO_TASK's study
	@$(SUPERMAX) run $(STUDY) --agent $(HPO_TASK)

baseline-benchmark: ## TF-IDF and logistic regression on the sample corpus, cross-validated
	@mkdir -p bin && CGO_ENABLED=0 go build -o $(SUPERMAX) ./cmd/supermax && $(SUPERMAX) baseline data/sample/groundtruth

test-architectures: deps ## test the eight architectures: golden values, gradients, and that each learns
	go test -count=1 -timeout 20m ./batchjob/pretrained ./batchjob/tokenizer ./batchjob/backbone ./batchjob/head ./batchjob/classifier

hpo-validate-architectures: build ## two real trials of each of the eight architectures, through ask and tell
	@bash scripts/tiny-checkpoints.sh models
	@$(SUPERMAX) stage a configs/study/architectures.yaml
	@$(SUPERMAX) trials architectures

bench-tensor: deps ## the cost of one small operation: ours and gotch/ts
	@bash scripts/bench-tensor.sh

bench-search: ## the search beside Optuna 5, in one run: PART=speed, quality, parallel or all (the default; half an hour)
	@bash scripts/bench-search.sh $(or $(PART),all)

bench-backbones: deps ## our encoders beside Hugging Face's, in one run: PART=small, base, types, memory or all (the default; twenty minutes)
	@bash scripts/bench-backbones.sh $(or $(PART),all)

bench-tokenizers: ## the tokenizers beside Hugging Face's Rust library, in one run: FAMILIES=bert,roberta,... (default all)
	@bash scripts/bench-tokenizers.sh $(FAMILIES)

bench-simulate: ## what it takes to simulate 10,000 slots over 100,000 trials
	@mkdir -p bin && CGO_ENABLED=0 go build -o $(SUPERMAX) ./cmd/supermax
	@time $(SUPERMAX) simulate --slots 10000 --trials 20000,80000 --interruptions 0.05 --slow-share 0.1 --crash-share 0.001

clean: ## remove what was built (not .deps, not runs)
	rm -rf bin coverage.out
