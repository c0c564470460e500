package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/supermax-hpo/supermax/shared/exports"
	"github.com/supermax-hpo/supermax/shared/protocol"
)

// chosen trains a fold and chooses it.
func chosen(t *testing.T) *home {
	t.Helper()
	h := newHome(t)
	h.asks = []protocol.AskReply{{SchemaVersion: protocol.Version, Kind: protocol.AskWork, Work: &protocol.Work{
		Trial: 1, ToEpoch: 2, Params: params(), Seeds: []int64{1}, Fold: new(int), Checkpoint: "checkpoints/study=s/trial=1/", HeartbeatEverySeconds: 5,
	}}}
	if log, err := h.run(t); err != nil {
		t.Fatal(err, log)
	}
	models, err := filepath.Glob(filepath.Join(h.dir, "checkpoints/study=s/trial=1/seed=1/best-*"))
	if err != nil || len(models) != 1 {
		t.Fatal(models, err)
	}
	key, err := filepath.Rel(h.dir, models[0])
	check(t, err)
	var best exports.Best
	best.Params, best.Models = params(), []exports.Model{{Seed: 1, File: filepath.ToSlash(key)}}
	data, err := json.Marshal(best)
	check(t, err)
	path := filepath.Join(h.dir, exports.BestKey("s")+".json")
	check(t, os.MkdirAll(filepath.Dir(path), 0o755))
	check(t, os.WriteFile(path, data, 0o600))
	return h
}

func TestPredictTool(t *testing.T) {
	h := chosen(t)
	h.env["SUPERMAX_MODELS"] = "1"
	var out, log bytes.Buffer
	in := strings.NewReader(`{"id": "a", "text": "quiet tired rain"}`)
	check(t, tool(t.Context(), []string{"predict"}, func(name string) string { return h.env[name] }, in, &out, slog.New(slog.NewJSONHandler(&log, nil))))
	if !strings.HasPrefix(out.String(), `{"id":"a","task":"criteria","criterion_id":"fatigue","probability":0.`) || strings.Count(out.String(), "\n") != 1 {
		t.Errorf("wrote %s", out.String())
	}
	if strings.Contains(log.String(), "tired") {
		t.Errorf("the log holds the post: %s", log.String())
	}
}

// On AWS the corpus and the backbone are in a bucket, and come through the cache. That they cannot
// be brought here is no mistake of the user's.
func TestPredictToolFetches(t *testing.T) {
	h := chosen(t)
	data, _ := h.onAWS(t)
	var out, log bytes.Buffer
	predict := func() error {
		return tool(t.Context(), []string{"predict"}, func(name string) string { return h.env[name] },
			strings.NewReader(`{"id": "a", "text": "quiet tired rain"}`), &out, slog.New(slog.NewJSONHandler(&log, nil)))
	}
	check(t, predict())
	if strings.Count(out.String(), "\n") != 1 || strings.Count(log.String(), "data is here") != 2 {
		t.Errorf("wrote %s, log %s", out.String(), log.String())
	}
	h.env["SUPERMAX_CACHE"] = filepath.Join(t.TempDir(), "other")
	check(t, os.RemoveAll(filepath.Join(data, "corpora")))
	check(t, os.RemoveAll(filepath.Join(data, "backbones")))
	check(t, os.Remove(data))
	var told *toldWrong
	if err := predict(); err == nil || errors.As(err, &told) {
		t.Errorf("without the bucket: %v", err)
	}
}

func TestEmbedTool(t *testing.T) {
	h := newHome(t)
	env := map[string]string{"SUPERMAX_MODEL": filepath.Join(filepath.Dir(h.dir), "tiny"), "SUPERMAX_POOLING": "mean", "SUPERMAX_FORMAT": "jsonl", "SUPERMAX_MAX_LENGTH": "8"}
	embed := func(in string) (string, error) {
		var out bytes.Buffer
		err := tool(t.Context(), []string{"embed"}, func(name string) string { return env[name] }, strings.NewReader(in), &out, slog.New(slog.DiscardHandler))
		return out.String(), err
	}
	out, err := embed("{\"text\": \"quiet rain\"}\n{\"id\": \"x\", \"a\": \"old\", \"b\": \"tired\"}\n")
	if err != nil || !strings.HasPrefix(out, `{"id":"1","vector":[`) || !strings.Contains(out, "\n"+`{"id":"x","vector":[`) {
		t.Errorf("%q, %v", out, err)
	}
	for name, c := range map[string]struct{ key, value, want string }{
		"model":   {"SUPERMAX_MODEL", "nowhere", "nowhere"},
		"none":    {"SUPERMAX_MODEL", "", "SUPERMAX_MODEL is missing"},
		"pooling": {"SUPERMAX_POOLING", "sum", `pooling "sum"`},
		"length":  {"SUPERMAX_MAX_LENGTH", "-3", `SUPERMAX_MAX_LENGTH is "-3"`},
		"device":  {"SUPERMAX_DEVICE", "cuda:9", "cuda:9"},
	} {
		before := env[c.key]
		env[c.key] = c.value
		var told *toldWrong
		if _, err := embed(""); !errors.As(err, &told) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want …%s…", name, err, c.want)
		}
		env[c.key] = before
	}
}

func TestToolRefuses(t *testing.T) {
	for want, c := range map[string]struct {
		args []string
		edit func(h *home)
	}{
		`arguments ["train"] are not allowed; allowed: none, predict or embed`: {args: []string{"train"}},
		`arguments ["predict" "x"] are not allowed`:                            {args: []string{"predict", "x"}},
		"SUPERMAX_STUDY is missing":                                            {edit: func(h *home) { delete(h.env, "SUPERMAX_STUDY") }},
		`SUPERMAX_MODELS is "0", it must be a number of 1`:                     {edit: func(h *home) { h.env["SUPERMAX_MODELS"] = "0" }},
		`SUPERMAX_CACHE is "cache", it must be an absolute folder`:             {edit: func(h *home) { h.env["SUPERMAX_CACHE"] = "cache" }},
		"open bucket":    {edit: func(h *home) { h.env["SUPERMAX_OBJECTS"] += "-not" }},
		"read the study": {edit: func(h *home) { h.env["SUPERMAX_STUDY"] = "other" }},
		"study s has chosen no configuration yet": {edit: func(*home) {}},
		"read what study s chose": {edit: func(h *home) {
			path := filepath.Join(h.dir, exports.BestKey("s")+".json")
			_ = os.MkdirAll(filepath.Dir(path), 0o755)
			_ = os.WriteFile(path, []byte("{"), 0o600)
		}},
	} {
		h := newHome(t)
		if c.edit != nil {
			c.edit(h)
		}
		args := c.args
		if args == nil {
			args = []string{"predict"}
		}
		var told *toldWrong
		err := tool(t.Context(), args, func(name string) string { return h.env[name] }, strings.NewReader(""), io.Discard, slog.New(slog.DiscardHandler))
		if !errors.As(err, &told) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want …%s…", err, want)
		}
	}
	h := chosen(t)
	h.env["SUPERMAX_DEVICE"] = "cuda:9"
	if err := tool(t.Context(), []string{"predict"}, func(name string) string { return h.env[name] }, strings.NewReader(""), io.Discard, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "cuda:9") {
		t.Errorf("got %v", err)
	}
	delete(h.env, "SUPERMAX_DEVICE")
	if err := tool(t.Context(), []string{"predict"}, func(name string) string { return h.env[name] }, strings.NewReader(""), io.Discard, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "there is no post") {
		t.Errorf("got %v", err)
	}
}
