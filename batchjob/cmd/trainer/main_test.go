package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/supermax-hpo/supermax/batchjob/dataset"
	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/objects"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/results"
	"github.com/supermax-hpo/supermax/shared/space"
)

// home is a study's folder and its answers to one slot.
type home struct {
	env   map[string]string
	asks  []protocol.AskReply // in turn, then done
	tells []protocol.TellRequest
	asked func() // on each ask; nil: nothing
	beat  func() // on each heartbeat
	mu    sync.Mutex
	dir   string // of the objects

	stdout bytes.Buffer // of runs in this process
}

func (h *home) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var reply any
	switch r.URL.Path {
	case "/v1/ask":
		ask := protocol.AskReply{SchemaVersion: protocol.Version, Kind: protocol.AskDone}
		if len(h.asks) > 0 {
			ask, h.asks = h.asks[0], h.asks[1:]
		}
		reply = ask
		if h.asked != nil {
			h.asked()
		}
	case "/v1/tell":
		var tell protocol.TellRequest
		if err := json.NewDecoder(r.Body).Decode(&tell); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		h.tells = append(h.tells, tell)
		reply = protocol.TellReply{SchemaVersion: protocol.Version, Kind: protocol.TellRelease}
	default:
		if h.beat != nil {
			h.beat()
		}
		reply = protocol.HeartbeatReply{SchemaVersion: protocol.Version}
	}
	if r.Header.Get("Authorization") != "Bearer secret" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	_ = json.NewEncoder(w).Encode(reply) // the slot sees a cut answer
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newHome writes a corpus of ten posts, a tiny backbone and a study.
func newHome(t *testing.T) *home {
	t.Helper()
	dir := t.TempDir()
	posts, truth := "post_id,text\n", "post_id,criterion_id,label\n"
	for i := range 10 {
		posts += fmt.Sprintf("p%d,quiet %s rain\n", i, []string{"old", "tired"}[i%2])
		truth += fmt.Sprintf("p%d,fatigue,%d\n", i, i%2)
	}
	words := []string{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "quiet", "old", "tired", "rain", "the", "writer", "is", "and", "lacks", "energy", "."}
	c := pretrained.DefaultConfig()
	c.VocabSize, c.HiddenSize, c.NumHiddenLayers, c.NumAttentionHeads, c.IntermediateSize, c.MaxPositionEmbeddings = len(words), 8, 1, 2, 16, 128
	check(t, pretrained.Init(filepath.Join(dir, "tiny"), c, 1))
	h := &home{dir: filepath.Join(dir, "objects")}
	for path, content := range map[string]string{
		"tiny/vocab.txt": strings.Join(words, "\n") + "\n", "corpus/posts.csv": posts, "corpus/groundtruth.csv": truth,
		"study.yaml": `version: 1
name: s
agent: criteria
corpus: {dir: corpus, layout: groundtruth}
models: {tiny: tiny}
constraints:
  model.name: [tiny]
  tok.max_length: 128
  model.gradient_checkpointing: false
  optim.name: [adamw]
  sched.name: [linear]
  train.amp: false
  null.strategy: none
  aug.enabled: false
stages:
  c: {folds: 5, candidates: 1, epochs: 2, seeds: [1]}
`,
	} {
		check(t, os.MkdirAll(filepath.Join(dir, filepath.Dir(path)), 0o755))
		check(t, os.WriteFile(filepath.Join(dir, path), []byte(content), 0o600))
	}
	study, err := config.Load(filepath.Join(dir, "study.yaml"))
	check(t, err)
	data, err := study.JSON()
	check(t, err)
	check(t, os.MkdirAll(filepath.Dir(h.studyFile()), 0o755))
	check(t, os.WriteFile(h.studyFile(), data, 0o600))
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	h.env = map[string]string{
		"SUPERMAX_ENDPOINT": server.URL, "SUPERMAX_TOKEN": "secret", "SUPERMAX_STUDY": "s", "SUPERMAX_STAGE": "C",
		"SUPERMAX_SLOT": "slot-0", "SUPERMAX_OBJECTS": objects.FileURL(h.dir), "SUPERMAX_PARENT": "stdin",
	}
	return h
}

// studyFile is where the study's file lies.
func (h *home) studyFile() string { return filepath.Join(h.dir, filepath.FromSlash(config.Key("s"))) }

// lengthen gives stage C so many epochs.
func (h *home) lengthen(t *testing.T, epochs int) {
	t.Helper()
	path := h.studyFile()
	data, err := os.ReadFile(path)
	check(t, err)
	study, err := config.FromJSON(data)
	check(t, err)
	study.Stages.C.Epochs, study.Stages.C.Patience = epochs, 0 // never stops early
	data, err = study.JSON()
	check(t, err)
	check(t, os.WriteFile(path, data, 0o600))
}

// run runs the trainer with an open standard input and returns its log.
func (h *home) run(t *testing.T) (string, error) {
	t.Helper()
	stdin, parent := io.Pipe()
	defer func() { _ = parent.Close() }()
	var log bytes.Buffer
	err := run(t.Context(), func(name string) string { return h.env[name] }, stdin, &h.stdout, slog.New(slog.NewJSONHandler(&log, nil)))
	return log.String(), err
}

func params() space.Assignment {
	return space.Assignment{
		"model.name": space.String("tiny"), "tok.max_length": space.Int(128), "model.gradient_checkpointing": space.Bool(false),
		"head.pooling": space.String("cls"), "head.hidden_mult": space.Int(0), "head.hidden_dim": space.Int(0),
		"head.n_layers": space.Int(1), "head.activation": space.String("relu"), "head.dropout": space.Float(0),
		"optim.name": space.String("adamw"), "optim.lr": space.Float(0.01), "optim.weight_decay": space.Float(1e-6),
		"sched.name": space.String("linear"), "sched.warmup_ratio": space.Float(0), "train.batch_size": space.Int(8),
		"train.grad_accum": space.Int(1), "train.amp": space.Bool(false), "reg.label_smoothing": space.Float(0),
		"reg.max_grad_norm": space.Float(0), "null.strategy": space.String("none"), "null.threshold": space.Float(0),
		"null.ratio": space.Float(0), "null.temperature": space.Float(1), "aug.enabled": space.Bool(false), "aug.p_apply": space.Float(0),
		"aug.ops_per_sample": space.Int(0), "aug.max_replace": space.Float(0), "aug.antonym_guard": space.String("off"),
		"aug.method_strategy": space.String("none"),
	}
}

// One fold is trained over real HTTP, files and tensors; the log holds no post text.
func TestTrainsOneFold(t *testing.T) {
	h := newHome(t)
	fold := 2
	h.asks = []protocol.AskReply{{SchemaVersion: protocol.Version, Kind: protocol.AskWork, Work: &protocol.Work{
		Trial: 1, ToEpoch: 2, Params: params(), Seeds: []int64{1}, Fold: &fold, Checkpoint: "checkpoints/study=s/trial=1/", HeartbeatEverySeconds: 5,
	}}}
	log, err := h.run(t)
	check(t, err)
	if len(h.tells) != 1 || h.tells[0].Outcome.Failed != nil || len(h.tells[0].Outcome.Epochs) != 2 || h.tells[0].Outcome.Baseline == nil {
		t.Fatalf("told %+v\nlog: %s", h.tells, log)
	}
	for _, word := range []string{"quiet", "tired", "secret"} {
		if strings.Contains(log, word) {
			t.Errorf("the log holds %q", word)
		}
	}
	bucket, err := objects.Open(t.Context(), objects.FileURL(h.dir))
	check(t, err)
	rows, err := results.Read(t.Context(), bucket, results.Key("s", "C", 1, 0, 0))
	check(t, err)
	if len(rows) != 3 || rows[0].Epoch != 0 || rows[2].F1Macro != h.tells[0].Outcome.Epochs[1].F1Macro {
		t.Errorf("rows %+v", rows)
	}
}

func TestCannotWork(t *testing.T) {
	tests := []struct {
		name string
		edit func(h *home)
		want string
	}{
		{"no stage", func(h *home) { h.env["SUPERMAX_STAGE"] = "" }, "SUPERMAX_STAGE is missing"},
		{"no bucket", func(h *home) { h.env["SUPERMAX_OBJECTS"] += "-not" }, "open bucket"},
		{"no study", func(h *home) { _ = os.Remove(h.studyFile()) }, "read the study"},
		{"not this study", func(h *home) { h.env["SUPERMAX_STUDY"] = "other" }, "read the study"},
		{"a path for a study", func(h *home) { h.env["SUPERMAX_STUDY"] = "../s" }, "has a part .."},
		{"another study", func(h *home) {
			other := filepath.Join(h.dir, filepath.FromSlash(config.Key("other")))
			check(t, os.Rename(filepath.Dir(h.studyFile()), filepath.Dir(other)))
			h.env["SUPERMAX_STUDY"] = "other"
		}, `SUPERMAX_STUDY is "other"`},
		{"no such device", func(h *home) { h.env["SUPERMAX_DEVICE"] = "cuda:9" }, "cuda:9"},
		{"damaged study", func(h *home) { _ = os.WriteFile(h.studyFile(), []byte("{"), 0o600) }, "read study"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHome(t)
			tt.edit(h)
			_, err := h.run(t)
			var told *toldWrong
			if !errors.As(err, &told) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	t.Run("no corpus", func(t *testing.T) {
		h := newHome(t)
		check(t, os.RemoveAll(filepath.Join(filepath.Dir(h.dir), "corpus")))
		var input *dataset.InputError
		if _, err := h.run(t); !errors.As(err, &input) {
			t.Errorf("got %v, want the corpus's error", err)
		}
	})
	t.Run("refused", func(t *testing.T) {
		h := newHome(t)
		h.env["SUPERMAX_TOKEN"] = "wrong"
		var refused *protocol.Error
		if _, err := h.run(t); !errors.As(err, &refused) {
			t.Errorf("got %v, want the study's refusal", err)
		}
	})
}

// The end of standard input ends a slot that waits, and one that has not begun.
func TestOrphaned(t *testing.T) {
	h := newHome(t)
	wait := protocol.AskReply{SchemaVersion: protocol.Version, Kind: protocol.AskWait, RetryAfterSeconds: 3600}
	h.asks = []protocol.AskReply{wait, wait}
	getenv := func(name string) string { return h.env[name] }
	stdin, parent := io.Pipe()
	h.asked = func() { _ = parent.Close() }
	check(t, run(t.Context(), getenv, stdin, io.Discard, slog.New(slog.DiscardHandler)))
	if len(h.asks) != 1 {
		t.Errorf("asked %d times, want once", 2-len(h.asks))
	}
	check(t, run(t.Context(), getenv, strings.NewReader(""), io.Discard, slog.New(slog.DiscardHandler)))
}
