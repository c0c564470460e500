package handler

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/objects"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/store"
	"github.com/supermax-hpo/supermax/shared/study"
)

var (
	corpusURL   = "mem:///corpora/" + strings.Repeat("c", 64) + "/"
	backboneURL = "mem:///backbones/" + strings.Repeat("b", 64) + "/"
)

// defined is the study that the definition "small" describes; edit changes it.
func defined(t *testing.T, edit func(*config.Study)) *config.Study {
	t.Helper()
	c, err := config.Parse("small.yaml", []byte(small+"models: {tiny: m}\nconstraints: {model.name: [tiny]}\nprice_per_hour: 0.5\n"))
	if err != nil {
		t.Fatal(err)
	}
	c.Corpus.Dir, c.Models = corpusURL, map[string]string{"tiny": backboneURL}
	if edit != nil {
		edit(c)
	}
	return c
}

// newStart returns a world with a data bucket that holds the definition "small".
func newStart(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	data, err := objects.Open(t.Context(), "mem://")
	if err != nil {
		t.Fatal(err)
	}
	w.Definitions = data
	for _, url := range []string{corpusURL, backboneURL} {
		if err := data.Write(t.Context(), strings.TrimPrefix(url, "mem:///")+"manifest.json", []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	w.define(defined(t, nil))
	return w
}

func (w *world) define(c *config.Study) {
	w.t.Helper()
	data, err := c.JSON()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.Definitions.Write(w.t.Context(), DefinitionKey("small"), data); err != nil {
		w.t.Fatal(err)
	}
}

// everything is all that a start may write.
func (w *world) everything() map[string]string {
	w.t.Helper()
	all := map[string]string{}
	for name, b := range map[string]*objects.Bucket{"results": w.bucket, "data": w.Definitions} {
		keys, err := b.List(w.t.Context(), "")
		if err != nil {
			w.t.Fatal(err)
		}
		for _, key := range keys {
			data, err := b.Read(w.t.Context(), key)
			if err != nil {
				w.t.Fatal(err)
			}
			all[name+"/"+key] = string(data)
		}
	}
	studies, err := w.Log.Studies(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, name := range studies {
		r, err := w.Log.Load(w.t.Context(), name, 0)
		if err != nil {
			w.t.Fatal(err)
		}
		data, err := json.Marshal(r)
		if err != nil {
			w.t.Fatal(err)
		}
		all["log/"+name] = string(data)
	}
	return all
}

func start() protocol.StartRequest {
	return protocol.StartRequest{SchemaVersion: protocol.Version, Study: "small"}
}

func TestStart(t *testing.T) {
	w := newStart(t)
	got, err := w.Start(t.Context(), start())
	want := protocol.StartReply{SchemaVersion: 1, Studies: []protocol.StartedStudy{{Study: "small", Agent: "criteria", Slots: 4}}}
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Fatalf("Start: %v %s", err, d)
	}
	budget := 2.5
	req := start()
	req.Agents, req.Slots, req.BudgetDollars = []string{"evidence", "criteria"}, 10_000, &budget
	got, err = w.Start(t.Context(), req)
	want.Studies = []protocol.StartedStudy{{Study: "small-evidence", Agent: "evidence", Slots: 10_000}, {Study: "small", Agent: "criteria", Slots: 10_000}}
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Fatalf("Start for two agents: %v %s", err, d)
	}
	for name, agent := range map[string]string{"small": "criteria", "small-evidence": "evidence"} {
		st, err := w.State(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if b, ok := st.BudgetDollars(); !ok || b != 2.5 || st.Settings().Agent != agent || st.Settings().PricePerHour != 0.5 {
			t.Errorf("%s: budget %v, %v, settings %+v", name, b, ok, st.Settings())
		}
		data, err := w.bucket.Read(t.Context(), config.Key(name))
		if err != nil {
			t.Fatal(err)
		}
		c, err := config.FromJSON(data)
		if err != nil || c.Name != name || c.Agent != agent || c.Corpus.Dir != corpusURL {
			t.Errorf("%s: its file says %s of %s in %s, %v", name, c.Name, c.Agent, c.Corpus.Dir, err)
		}
	}
	before := w.everything()
	if again, err := w.Start(t.Context(), req); err != nil || !cmp.Equal(got, again) {
		t.Errorf("the same start again: %+v, %v", again, err)
	}
	if d := cmp.Diff(before, w.everything()); d != "" {
		t.Errorf("the same start again wrote something:\n%s", d)
	}
}

func TestStartResumes(t *testing.T) {
	w := newStart(t)
	if _, err := w.Start(t.Context(), start()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Plan(t.Context(), w.request(protocol.StageA)); err != nil {
		t.Fatal(err)
	}
	ask := protocol.AskRequest{SchemaVersion: 1, Study: "small", Stage: protocol.StageA, Slot: "one", Token: 1}
	if reply, err := w.Ask(t.Context(), ask); err != nil || reply.Kind != protocol.AskWork {
		t.Fatalf("Ask = %+v, %v", reply, err)
	}
	stopped, err := w.Stop(t.Context(), protocol.StopRequest{SchemaVersion: 1, Study: "small", Reason: study.StoppedByUser})
	if err != nil || !slices.Equal(stopped.Slots, []string{"one"}) {
		t.Fatalf("Stop = %+v, %v", stopped, err)
	}
	ask.Slot = "two"
	if reply, err := w.Ask(t.Context(), ask); err != nil || reply.Kind != protocol.AskDone {
		t.Errorf("Ask of a stopped study = %+v, %v", reply, err)
	}
	if _, err := w.Start(t.Context(), start()); err != nil {
		t.Fatal(err)
	}
	ask.Slot = "three"
	if reply, err := w.Ask(t.Context(), ask); err != nil || reply.Kind != protocol.AskWork {
		t.Errorf("Ask of a resumed study = %+v, %v", reply, err)
	}
}

// A refused start changes nothing, whatever else it was to start.
func TestStartRefused(t *testing.T) {
	dollars := func(d float64) *float64 { return &d }
	for name, c := range map[string]struct {
		definition *config.Study
		object     string // instead of a definition
		edit       func(*protocol.StartRequest)
		code       protocol.ErrorCode
		want       string
	}{
		"no study":         {edit: func(r *protocol.StartRequest) { r.Study = "" }, want: `study name ""`},
		"path":             {edit: func(r *protocol.StartRequest) { r.Study = "../../etc/passwd" }, want: `study name "../../etc/passwd" is not`},
		"dots":             {edit: func(r *protocol.StartRequest) { r.Study = ".." }, want: `study name ".."`},
		"line break":       {edit: func(r *protocol.StartRequest) { r.Study = "a\nb" }, want: `study name "a\nb"`},
		"megabyte":         {edit: func(r *protocol.StartRequest) { r.Study = strings.Repeat("a", 1<<20) }, want: `aaa" is not 1 to 64`},
		"no definition":    {edit: func(r *protocol.StartRequest) { r.Study = "other" }, code: protocol.CodeNotFound, want: "mem:///definitions/other.json"},
		"unknown agent":    {edit: func(r *protocol.StartRequest) { r.Agents = []string{"doctor"} }, want: `"doctor" is not allowed; allowed: criteria, evidence, share, joint`},
		"second agent":     {edit: func(r *protocol.StartRequest) { r.Agents = []string{"criteria", "doctor"} }, want: `"doctor" is not allowed`},
		"agent twice":      {edit: func(r *protocol.StartRequest) { r.Agents = []string{"evidence", "evidence"} }, want: "agents: evidence is listed twice"},
		"long agent":       {edit: func(r *protocol.StartRequest) { r.Agents = []string{strings.Repeat("x", 1<<20)} }, want: `xxx" is no agent`},
		"empty agent":      {edit: func(r *protocol.StartRequest) { r.Agents = []string{""} }, want: `agents: "" is no agent`},
		"negative slots":   {edit: func(r *protocol.StartRequest) { r.Slots = -1 }, want: "slots: -1 is not allowed; allowed: 1 to 10000"},
		"too many slots":   {edit: func(r *protocol.StartRequest) { r.Slots = 10_001 }, want: "slots: 10001"},
		"negative budget":  {edit: func(r *protocol.StartRequest) { r.BudgetDollars = dollars(-5) }, want: "budget_dollars: -5 is not allowed"},
		"no number":        {edit: func(r *protocol.StartRequest) { r.BudgetDollars = dollars(math.NaN()) }, want: "budget_dollars: NaN"},
		"endless budget":   {edit: func(r *protocol.StartRequest) { r.BudgetDollars = dollars(math.Inf(1)) }, want: "budget_dollars: +Inf"},
		"nothing to spend": {edit: func(r *protocol.StartRequest) { r.BudgetDollars = dollars(0) }, code: protocol.CodeConflict, want: "budget of 0.00 dollars is spent"},
		"no price": {definition: defined(t, func(c *config.Study) { c.PricePerHour = 0 }),
			edit: func(r *protocol.StartRequest) { r.BudgetDollars = dollars(5) }, want: "budget_dollars: 5 needs a price"},
		"other name":      {definition: defined(t, func(c *config.Study) { c.Name = "large" }), want: `definitions/small.json: name: "large" is not allowed; allowed: small`},
		"broken":          {object: `{"schema_version": 1`, want: "definitions/small.json: read study: unexpected end of JSON"},
		"hostile":         {object: `{"schema_version": 1, "name": "../x"}`, want: `definitions/small.json: read study: name: "../x"`},
		"folder":          {definition: defined(t, func(c *config.Study) { c.Corpus.Dir = "/etc" }), want: `corpus.dir: "/etc" is not allowed; allowed: mem:///corpora/<SHA-256>/`},
		"other bucket":    {definition: defined(t, func(c *config.Study) { c.Corpus.Dir = strings.Replace(corpusURL, "mem://", "s3://data", 1) }), want: `corpus.dir: "s3://data/`},
		"climbing":        {definition: defined(t, func(c *config.Study) { c.Corpus.Dir = "mem:///corpora/../backbones/" }), want: `corpus.dir: "mem:///corpora/../`},
		"a backbone":      {definition: defined(t, func(c *config.Study) { c.Corpus.Dir = backboneURL }), want: "corpus.dir:"},
		"a corpus":        {definition: defined(t, func(c *config.Study) { c.Models["tiny"] = corpusURL }), want: "models.tiny:"},
		"not uploaded":    {definition: defined(t, func(c *config.Study) { c.Models["tiny"] = strings.Replace(backboneURL, "bb", "ab", 1) }), want: "models.tiny: there is nothing at mem:///backbones/ab"},
		"missing model":   {definition: defined(t, func(c *config.Study) { c.Models = map[string]string{} }), want: `models: "tiny" is missing`},
		"second conflict": {edit: func(r *protocol.StartRequest) { r.Agents = []string{"criteria", "evidence"} }, code: protocol.CodeConflict, want: "study small-evidence was created from another file: a differ"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newStart(t)
			other := defined(t, func(c *config.Study) { c.Name, c.Agent, c.Stages.A.Trials = "small-evidence", "evidence", 13 })
			if err := w.Create(t.Context(), other); err != nil {
				t.Fatal(err)
			}
			if c.definition != nil {
				w.define(c.definition)
			}
			if c.object != "" {
				if err := w.Definitions.Write(t.Context(), DefinitionKey("small"), []byte(c.object)); err != nil {
					t.Fatal(err)
				}
			}
			req := start()
			if c.edit != nil {
				c.edit(&req)
			}
			if c.code == "" {
				c.code = protocol.CodeInvalid
			}
			before := w.everything()
			_, err := w.Start(t.Context(), req)
			wantCode(t, err, c.code, c.want)
			if d := cmp.Diff(before, w.everything()); d != "" {
				t.Errorf("it changed something (-before +after):\n%s", d)
			}
		})
	}
}

// A corpus is named after its content: another one is another study.
func TestStartWithOtherContent(t *testing.T) {
	w := newStart(t)
	if _, err := w.Start(t.Context(), start()); err != nil {
		t.Fatal(err)
	}
	other := strings.Replace(corpusURL, "cc", "dc", 1)
	if err := w.Definitions.Write(t.Context(), strings.TrimPrefix(other, "mem:///")+"manifest.json", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	w.define(defined(t, func(c *config.Study) { c.Corpus.Dir = other }))
	_, err := w.Start(t.Context(), start())
	wantCode(t, err, protocol.CodeConflict, "corpus differ")

	// The same content in another bucket is the same study.
	moved := defined(t, func(c *config.Study) { c.Corpus.Dir = strings.Replace(corpusURL, "mem://", "s3://data-2", 1) })
	if err := w.Create(t.Context(), moved); err != nil {
		t.Error(err)
	}
}

// fakeBundle is a study with its data; broken is what an upload ends with.
type fakeBundle struct {
	study  *config.Study
	broken error
	calls  int
}

func (b *fakeBundle) Study(name string) (*config.Study, error) {
	if name != "small" {
		return nil, nil
	}
	return b.study, b.broken
}

func (b *fakeBundle) Upload(_ context.Context, c *config.Study) (*config.Study, error) {
	b.calls++
	there := *c
	there.Corpus.Dir, there.Models = corpusURL, map[string]string{"tiny": backboneURL}
	return &there, nil
}

func TestStartBundled(t *testing.T) {
	w := newStart(t)
	if err := w.Definitions.Delete(t.Context(), DefinitionKey("small")); err != nil {
		t.Fatal(err)
	}
	bundle := &fakeBundle{study: defined(t, func(c *config.Study) { c.Corpus.Dir, c.Models["tiny"] = "/var/task/data", "/var/task/tiny" })}
	w.Bundle = bundle
	_, err := w.Start(t.Context(), protocol.StartRequest{SchemaVersion: 1, Study: "other"})
	wantCode(t, err, protocol.CodeNotFound, "it has no definition")
	before := w.everything()
	req := start()
	req.Agents = []string{"doctor"}
	_, err = w.Start(t.Context(), req)
	wantCode(t, err, protocol.CodeInvalid, "is not allowed")
	if d := cmp.Diff(before, w.everything()); d != "" || bundle.calls != 0 {
		t.Errorf("a refused start uploaded something (%d calls)\n%s", bundle.calls, d)
	}
	for range 2 {
		req.Agents = []string{"criteria", "evidence"}
		if reply, err := w.Start(t.Context(), req); err != nil || len(reply.Studies) != 2 {
			t.Fatalf("Start = %+v, %v", reply, err)
		}
	}
	if bundle.calls != 1 {
		t.Errorf("uploaded %d times, want once: the definition is there", bundle.calls)
	}
	all := w.everything()
	for _, key := range []string{"data/definitions/small.json", "results/studies/small/study.json", "results/studies/small-evidence/study.json"} {
		c, err := config.FromJSON([]byte(all[key]))
		if err != nil || c.Corpus.Dir != corpusURL || c.Models["tiny"] != backboneURL {
			t.Errorf("%s: %v, %+v", key, err, c)
		}
	}
}

// Faults of the stores are worth another try.
func TestStartUnavailable(t *testing.T) {
	w := newStart(t)
	broken := errors.New("slow down")
	log := w.Log
	w.Service = &Service{Log: &fakeLog{load: func(int64) (store.Records, error) { return store.Records{}, broken }},
		Objects: w.bucket, Clock: w.now, Definitions: w.Definitions}
	_, err := w.Start(t.Context(), start())
	if !errors.Is(err, broken) || Code(err) != protocol.CodeUnavailable {
		t.Errorf("Start without a log = %v", err)
	}
	w.Service = &Service{Log: log, Objects: w.bucket, Clock: w.now, Definitions: w.Definitions,
		Bundle: &fakeBundle{broken: broken}}
	if err := w.Definitions.Delete(t.Context(), DefinitionKey("small")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Start(t.Context(), start()); !errors.Is(err, broken) {
		t.Errorf("Start of a broken bundle = %v", err)
	}
	if err := w.Definitions.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Start(t.Context(), start()); err == nil || Code(err) != protocol.CodeUnavailable {
		t.Errorf("Start without a data bucket = %v", err)
	}
}
