package train

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/supermax-hpo/supermax/batchjob/dataset"
	"github.com/supermax-hpo/supermax/batchjob/tensor"
	"github.com/supermax-hpo/supermax/shared/exports"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/space"
)

// confirmed trains stage C's first fold with two seeds and returns what predicts with it.
func confirmed(t *testing.T, agent, strategy string) PredictOptions {
	t.Helper()
	f := withEvidence(t, realFixture(t), agent)
	f.study.Stages.C.Epochs = 8
	w := work(0, 8, 1, 2)
	w.Fold = new(int)
	w.Params["null.strategy"], w.Params["null.temperature"] = space.String(strategy), space.Float(1.5)
	r := f.trainer(t, protocol.StageC)
	runWork(t, r, w)
	r.Release()
	keys, err := f.bucket.List(t.Context(), "checkpoints/")
	check(t, err)
	o := PredictOptions{Study: f.study, Objects: f.bucket, Worker: f.worker, Log: slog.New(slog.DiscardHandler)}
	o.Best.Params = w.Params
	for _, key := range keys {
		if strings.Contains(key, "best-epoch") {
			o.Best.Models = append(o.Best.Models, exports.Model{File: key})
		}
	}
	return o
}

func predict(t *testing.T, o PredictOptions, in string) []Answer {
	t.Helper()
	var out bytes.Buffer
	check(t, Predict(t.Context(), o, strings.NewReader(in), &out))
	var answers []Answer
	for line := range strings.Lines(out.String()) {
		var a Answer
		check(t, json.Unmarshal([]byte(line), &a))
		answers = append(answers, a)
	}
	return answers
}

const twoPosts = `{"id": "x", "text": "today tired rain.\nold stones near home."}

{"id": 7, "text": "Ünquiet friend fell.", "more": [1]}
`

// Every agent answers its tasks' questions, in order, with the sentences' places, and says
// yes where the cue words stand.
func TestPredict(t *testing.T) {
	for _, agent := range []string{dataset.Criteria, dataset.Joint} {
		t.Run(agent, func(t *testing.T) {
			o := confirmed(t, agent, "none")
			before := tensor.LiveTensors()
			answers := predict(t, o, twoPosts)
			var got []string
			for _, a := range answers {
				s := fmt.Sprintf("%s %s %s", a.Task, a.ID, a.CriterionID)
				if a.Sentence != nil {
					s += fmt.Sprintf(" %d [%d, %d)", *a.Sentence, *a.Start, *a.End)
				}
				got = append(got, s)
				if !(a.Probability >= 0 && a.Probability <= 1) || a.Answer != (a.Probability >= 0.5) {
					t.Errorf("%s: p = %v, answer %v", s, a.Probability, a.Answer)
				}
			}
			want := []string{"criteria x sleep_issues", "criteria x fatigue", "criteria 7 sleep_issues", "criteria 7 fatigue"}
			if agent == dataset.Joint {
				want = append(want, "evidence x sleep_issues 0 [0, 17)", "evidence x fatigue 0 [0, 17)", "evidence x sleep_issues 1 [18, 39)",
					"evidence x fatigue 1 [18, 39)", "evidence 7 sleep_issues 0 [0, 20)", "evidence 7 fatigue 0 [0, 20)")
			}
			if !slices.Equal(want, got) {
				t.Errorf("got  %q\nwant %q", got, want)
			}
			if n := tensor.LiveTensors(); n != before {
				t.Errorf("%d tensors live after, %d before", n, before)
			}
			// All models are the mean of each.
			first, second := o, o
			first.Models = 1
			second.Best.Models = o.Best.Models[1:]
			a, b := predict(t, first, twoPosts), predict(t, second, twoPosts)
			for i, both := range answers {
				if mean := (a[i].Probability + b[i].Probability) / 2; math.Abs(mean-both.Probability) > 1e-12 {
					t.Errorf("answer %d has %v, its models %v and %v", i, both.Probability, a[i].Probability, b[i].Probability)
				}
			}
		})
	}
}

// Calibrated answers from the threshold that the models' files hold.
func TestPredictCalibrated(t *testing.T) {
	o := confirmed(t, dataset.Evidence, "calibrated")
	p := &predictor{PredictOptions: o, tasks: tasks{names: []string{dataset.Evidence}}}
	threshold := 0.0
	for _, m := range o.Best.Models {
		info, _, err := p.read(t.Context(), m.File)
		check(t, err)
		threshold += *info.Tasks[0].NullThreshold / 2
	}
	for _, a := range predict(t, o, twoPosts) {
		if a.Answer != (a.Probability >= threshold) {
			t.Errorf("%+v with threshold %v", a, threshold)
		}
	}
}

func TestPredictRefuses(t *testing.T) {
	o := confirmed(t, dataset.Criteria, "none")
	for name, c := range map[string]struct {
		edit func(*PredictOptions)
		in   string
		want string
	}{
		"nothing":         {nil, "\n \n", "there is no post; every line must be an object with id and text"},
		"no object":       {nil, `["secret"]`, "line 1 is not an object with either"},
		"cut":             {nil, "{\"id\": 1, \"text\": \"a\"}\n{\"id\": 2, \"text\": \"secret", "line 2 is not JSON, at byte"},
		"no id":           {nil, `{"text": "secret"}`, "line 1 has no id, or an empty one; allowed: a text or a number"},
		"empty id":        {nil, `{"id": "", "text": "secret"}`, "line 1 has no id"},
		"id of a list":    {nil, `{"id": [], "text": "secret"}`, `line 1 has an "id" that is neither`},
		"no text":         {nil, `{"id": 1}`, "line 1 is not an object with"},
		"white text":      {nil, `{"id": 1, "text": " "}`, "line 1 has no text, or an empty one"},
		"twice":           {nil, "{\"id\": 1, \"text\": \"a\"}\n\n{\"id\": \"1\", \"text\": \"secret\"}", "line 3 has the id of line 1"},
		"no UTF-8":        {nil, "{\"id\": 1, \"text\": \"secret\xff\"}", "line 1 is not UTF-8"},
		"a pair":          {nil, `{"id": 1, "a": "secret"}`, "line 1 has no text"},
		"no models":       {func(o *PredictOptions) { o.Best.Models = nil }, twoPosts, "study s has no models"},
		"too many models": {func(o *PredictOptions) { o.Models = 3 }, twoPosts, "3 models are not allowed; allowed: 1 to 2, or 0 for all"},
		"lost model":      {func(o *PredictOptions) { o.Best.Models = []exports.Model{{File: "checkpoints/x.safetensors"}} }, twoPosts, "read model checkpoints/x.safetensors"},
		"a checkpoint": {func(o *PredictOptions) {
			o.Best.Models = []exports.Model{{File: "checkpoints/study=s/trial=5/seed=1/epoch=0008.safetensors"}}
		}, twoPosts, "its header says nothing of the model"},
		"other study": {func(o *PredictOptions) { other := *o.Study; other.Name = "other"; o.Study = &other }, twoPosts, `it is of study "s" and agent "criteria", not "other"`},
		"parameters":  {func(o *PredictOptions) { o.Best.Params = space.Assignment{} }, twoPosts, "model.name"},
		"backbone": {func(o *PredictOptions) {
			o.Best.Params = o.Best.Params.Clone()
			o.Best.Params["model.name"] = space.String("none")
		}, twoPosts, `no folder for the backbone "none"`},
		"other head": {func(o *PredictOptions) {
			o.Best.Params = o.Best.Params.Clone()
			o.Best.Params["head.pooling"] = space.String("attention")
		}, twoPosts, "attn_pool.weight is missing"},
	} {
		with := o
		if c.edit != nil {
			c.edit(&with)
		}
		var out bytes.Buffer
		err := Predict(t.Context(), with, strings.NewReader(c.in), &out)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, want …%s…", name, err, c.want)
		}
		if out.Len() > 0 {
			t.Errorf("%s: wrote %d bytes", name, out.Len())
		}
	}
}

func FuzzReadPosts(f *testing.F) {
	f.Add([]byte(twoPosts))
	f.Add([]byte(`{"id": 1e400, "text": "a"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		posts, err := readPosts(bytes.NewReader(data))
		if (err == nil) != (len(posts) > 0) {
			t.Fatalf("%d posts, %v", len(posts), err)
		}
		for _, p := range posts {
			if p.id == "" || strings.TrimSpace(p.text) == "" {
				t.Fatalf("post %+v", p)
			}
		}
	})
}
