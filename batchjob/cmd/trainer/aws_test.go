package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/supermax-hpo/supermax/batchjob/dataset"
	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/dataref"
	"github.com/supermax-hpo/supermax/shared/emf"
	"github.com/supermax-hpo/supermax/shared/objects"
	"github.com/supermax-hpo/supermax/shared/protocol"
)

// onAWS makes the study's home one of AWS: its calls come through Lambda, its corpus and
// backbone lie in a bucket of data. It returns the folder of that bucket and what the
// instance's metadata service answers for a Spot notice; nil: there is none.
func (h *home) onAWS(t *testing.T) (data string, notice *atomic.Pointer[string]) {
	t.Helper()
	functions := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		call, ok := strings.CutPrefix(strings.TrimSuffix(r.URL.Path, "/invocations"), "/2015-03-31/functions/supermax-")
		if !ok || !strings.Contains(r.Header.Get("Authorization"), "/lambda/") {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		r.URL.Path = "/v1/" + call
		r.Header.Set("Authorization", "Bearer secret")
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(functions.Close)
	notice = new(atomic.Pointer[string])
	metadata := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text := notice.Load()
		switch {
		case r.Method == http.MethodPut:
			w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "300")
			_, _ = io.WriteString(w, "token")
		case text == nil:
			w.WriteHeader(http.StatusNotFound)
		default:
			_, _ = io.WriteString(w, *text)
		}
	}))
	t.Cleanup(metadata.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": functions.URL, "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata.URL, "AWS_EC2_METADATA_DISABLED": "false",
		"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_SESSION_TOKEN": "", "AWS_REGION": "eu-west-1", "AWS_PROFILE": "",
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_ENDPOINT_URL_LAMBDA": "",
	} {
		t.Setenv(name, value)
	}
	for _, name := range []string{"SUPERMAX_ENDPOINT", "SUPERMAX_TOKEN", "SUPERMAX_SLOT", "SUPERMAX_PARENT"} {
		delete(h.env, name)
	}
	for name, value := range map[string]string{
		"SUPERMAX_ASK_FUNCTION": "supermax-ask", "SUPERMAX_TELL_FUNCTION": "supermax-tell", "SUPERMAX_HEARTBEAT_FUNCTION": "supermax-heartbeat",
		"AWS_BATCH_JOB_ID": "job:3", "AWS_BATCH_JOB_ATTEMPT": "1", "SUPERMAX_CACHE": filepath.Join(t.TempDir(), "cache"),
	} {
		h.env[name] = value
	}
	data = t.TempDir()
	bucket, err := objects.Open(t.Context(), objects.FileURL(data))
	check(t, err)
	text, err := os.ReadFile(h.studyFile())
	check(t, err)
	study, err := config.FromJSON(text)
	check(t, err)
	files, err := dataset.Files(study.Corpus.Dir, study.Corpus.Layout)
	check(t, err)
	study.Corpus.Dir, err = dataref.Upload(t.Context(), bucket, dataref.Corpora, study.Corpus.Dir, files, nil)
	check(t, err)
	files, err = pretrained.Files(study.Models["tiny"])
	check(t, err)
	study.Models["tiny"], err = dataref.Upload(t.Context(), bucket, dataref.Backbones, study.Models["tiny"], files, nil)
	check(t, err)
	text, err = study.JSON()
	check(t, err)
	check(t, os.WriteFile(h.studyFile(), text, 0o600))
	return data, notice
}

func fold(n int, toEpoch int) protocol.AskReply {
	return protocol.AskReply{SchemaVersion: protocol.Version, Kind: protocol.AskWork, Work: &protocol.Work{
		Trial: n + 1, ToEpoch: toEpoch, Params: params(), Seeds: []int64{1}, Fold: &n, Checkpoint: "checkpoints/" + string(rune('a'+n)) + "/", HeartbeatEverySeconds: 0.2,
	}}
}

// metrics reads the lines that CloudWatch would: the values by name, in order.
func (h *home) metrics(t *testing.T) map[emf.Name][]float64 {
	t.Helper()
	all := map[emf.Name][]float64{}
	for line := range strings.Lines(h.stdout.String()) {
		var fields map[string]any
		check(t, json.Unmarshal([]byte(line), &fields))
		if fields[emf.Study] != "s" || fields[emf.Stage] != "C" {
			t.Errorf("the dimensions of %s", line)
		}
		for name, value := range fields {
			if v, ok := value.(float64); ok {
				all[emf.Name(name)] = append(all[emf.Name(name)], v)
			}
		}
	}
	return all
}

// Two folds are trained through Lambda functions, with data from a bucket; a second trainer
// on the machine finds the data in the cache.
func TestTrainsOnAWS(t *testing.T) {
	h := newHome(t)
	data, _ := h.onAWS(t)
	h.asks = []protocol.AskReply{fold(0, 2), fold(1, 2)}
	log, err := h.run(t)
	check(t, err)
	if len(h.tells) != 2 || h.tells[0].Outcome.Failed != nil || h.tells[1].Outcome.Failed != nil {
		t.Fatalf("told %+v\nlog: %s", h.tells, log)
	}
	if !strings.Contains(log, `"slot":"job:3/1"`) || strings.Count(log, "data is here") != 2 {
		t.Errorf("the log is %s", log)
	}
	for _, word := range []string{"quiet", "tired"} {
		if strings.Contains(log+h.stdout.String(), word) {
			t.Errorf("the log or the metrics hold %q", word)
		}
	}
	m := h.metrics(t)
	if len(m[emf.SlotBusyPercent]) != 2 || len(m[emf.SlotIdleSeconds]) != 1 || m[emf.SlotIdleSeconds][0] <= 0 || m[emf.SlotIdleSeconds][0] > 5 || len(m[emf.GPUUtilization]) != 0 {
		t.Errorf("metrics %v", m)
	}
	check(t, os.RemoveAll(data))
	h.asks, h.tells = []protocol.AskReply{fold(2, 1)}, nil
	if log, err := h.run(t); err != nil || len(h.tells) != 1 || h.tells[0].Outcome.Failed != nil {
		t.Errorf("from the cache: told %+v, %v\n%s", h.tells, err, log)
	}
}

// When the instance is taken away the trial is given back, the metric is written, and the
// process ends well. What was trained is kept.
func TestSpotNotice(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for the watch, which looks every five seconds")
	}
	h := newHome(t)
	h.lengthen(t, 10000)
	_, notice := h.onAWS(t)
	text := `{"action": "terminate", "time": "2025-05-01T12:02:00Z"}`
	h.asks = []protocol.AskReply{fold(0, 10000)}
	h.beat = func() { notice.Store(&text) } // the trial is in training
	log, err := h.run(t)
	check(t, err)
	if len(h.tells) != 1 || h.tells[0].Outcome.Failed == nil || h.tells[0].Outcome.Failed.Kind != protocol.FailedInterrupted ||
		h.tells[0].Outcome.Failed.Message != "the Spot instance is being taken away" {
		t.Errorf("told %+v\n%s", h.tells, log)
	}
	if m := h.metrics(t); len(m[emf.SpotNotices]) != 1 || m[emf.SpotNotices][0] != 1 {
		t.Errorf("metrics %v", m)
	}
	bucket, err := objects.Open(t.Context(), objects.FileURL(h.dir))
	check(t, err)
	if keys, err := bucket.List(t.Context(), "checkpoints/a/seed=1/epoch="); err != nil || len(keys) != 1 {
		t.Errorf("checkpoints %v, %v", keys, err)
	}
	if !strings.Contains(log, "Spot notice") {
		t.Errorf("the log is %s", log)
	}
}

// Data that cannot be used is the study's fault; data that cannot be brought is not.
func TestNoDataOnAWS(t *testing.T) {
	for name, tt := range map[string]struct {
		spoil func(h *home, data string)
		wrong bool // as it was told
		want  string
	}{
		"nothing there": {func(_ *home, data string) {
			check(t, os.Rename(filepath.Join(data, "corpora"), filepath.Join(data, "x")))
		}, false, "open bucket"},
		"half there": {func(_ *home, data string) {
			manifests, err := filepath.Glob(filepath.Join(data, "corpora", "*", dataref.ManifestName))
			check(t, errors.Join(err, os.Remove(manifests[0])))
		}, true, "its upload has not ended"},
		"no cache": {func(h *home, data string) {
			h.env["SUPERMAX_CACHE"] = filepath.Join(data, "file", "x")
			check(t, os.WriteFile(filepath.Join(data, "file"), nil, 0o600))
		}, false, "not a directory"},
		"no home": {func(h *home, _ string) {
			delete(h.env, "SUPERMAX_CACHE")
			t.Setenv("HOME", "")
			t.Setenv("XDG_CACHE_HOME", "")
		}, false, "set SUPERMAX_CACHE"},
		"no region": {func(*home, string) { t.Setenv("AWS_REGION", ""); t.Setenv("AWS_DEFAULT_REGION", "") }, true, "set AWS_REGION"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHome(t)
			data, _ := h.onAWS(t)
			tt.spoil(h, data)
			_, err := h.run(t)
			var told *toldWrong
			if err == nil || errors.As(err, &told) != tt.wrong || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want …%s…, told wrong %t", err, tt.want, tt.wrong)
			}
		})
	}
}

// Without NVIDIA's library there is one warning and no metric; without AWS there are none.
func TestMeasures(t *testing.T) {
	env := environment{functions: map[string]string{}, study: "s", stage: "A", device: "cuda:0"}
	var out, log bytes.Buffer
	m := newMeasures(env, &out, slog.New(slog.NewJSONHandler(&log, nil)))
	if done := m.watchGPU(t.Context(), env); done != nil {
		done()
	}
	if strings.Count(log.String(), "the GPU's utilization is not measured") != 1 && !strings.Contains(log.String(), "NVML") && log.Len() > 0 || out.Len() != 0 {
		t.Errorf("without a GPU it wrote %q and logged %q", out.String(), log.String())
	}
	env.study = "" // CloudWatch would drop it
	log.Reset()
	m = newMeasures(env, &out, slog.New(slog.NewJSONHandler(&log, nil)))
	for range 3 {
		m.put(emf.Metric{Name: emf.SpotNotices, Unit: emf.Count, Value: 1})
	}
	if out.Len() != 0 || strings.Count(log.String(), "metrics are not written") != 1 {
		t.Errorf("what cannot be written: %q, logged %q", out.String(), log.String())
	}
	env = environment{study: "s", stage: "A", device: "cuda:0"}
	log.Reset()
	m = newMeasures(env, &out, slog.New(slog.NewJSONHandler(&log, nil)))
	m.put(emf.Metric{Name: emf.SpotNotices, Unit: emf.Count, Value: 1})
	m.watchGPU(t.Context(), env)()
	if out.Len()+log.Len() != 0 {
		t.Errorf("on a laptop: %q, logged %q", out.String(), log.String())
	}
}
