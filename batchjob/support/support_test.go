package support_test

import (
	"testing"

	"github.com/supermax-hpo/supermax/batchjob/support"
	"github.com/supermax-hpo/supermax/configs"
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/space"
)

func whole(t *testing.T) *space.Space {
	t.Helper()
	s, err := space.Parse("configs/space.yaml", configs.Space)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func narrowed(t *testing.T, s *space.Space, c space.Constraints) *space.Space {
	t.Helper()
	n, err := s.Narrow(c)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func fix(v space.Value) space.Constraint { return space.Constraint{Fix: v} }

// implemented narrows the whole space to what the trainer can do.
func implemented() space.Constraints {
	return space.Constraints{
		"model.name":  fix(space.String("bert-base-uncased")),
		"optim.name":  fix(space.String("adamw")),
		"sched.name":  fix(space.String("linear")),
		"train.amp":   fix(space.Bool(false)),
		"aug.enabled": fix(space.Bool(false)),
	}
}

var bert = map[string]string{"bert-base-uncased": "bert"}

func TestCheckImplemented(t *testing.T) {
	if err := support.Check(narrowed(t, whole(t), implemented()), bert); err != nil {
		t.Error(err)
	}
}

func TestCheckWholeSpace(t *testing.T) {
	err := support.Check(whole(t), map[string]string{"bert-base-uncased": "bert", "roberta-base": "gpt2"})
	want := "the study may ask for what is not yet implemented (" +
		`model.name: roberta-base (model type "gpt2"), microsoft/deberta-v3-base (no folder under models), ` +
		"google/electra-base-discriminator (no folder under models), albert-base-v2 (no folder under models), " +
		"distilbert-base-uncased (no folder under models), YituTech/conv-bert-base (no folder under models), " +
		"xlnet-base-cased (no folder under models); " +
		"optim.name: adam, adafactor, lion, lamb, adamw_8bit; " +
		"sched.name: cosine, cosine_restart, polynomial, one_cycle; train.amp: true; " +
		"aug.enabled: true); leave it out under constraints"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestCheckEachValue(t *testing.T) {
	for _, tc := range []struct {
		param string
		value space.Value
		want  string
	}{
		{"model.name", space.String("roberta-base"), "model.name: roberta-base (no folder under models)"},
		{"optim.name", space.String("lion"), "optim.name: lion"},
		{"sched.name", space.String("cosine"), "sched.name: cosine"},
		{"train.amp", space.Bool(true), "train.amp: true"},
		{"aug.enabled", space.Bool(true), "aug.enabled: true"},
	} {
		c := implemented()
		c[tc.param] = fix(tc.value)
		s := narrowed(t, whole(t), c)
		err := support.Check(s, bert)
		want := "the study may ask for what is not yet implemented (" + tc.want + "); leave it out under constraints"
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", tc.param, err, want)
		}
		err = support.CheckParams(space.Assignment{tc.param: tc.value, "optim.lr": space.Float(1e-4)})
		want = "the trial asks for what is not yet implemented (" + tc.param + ": " + tc.value.String() + ")"
		if tc.param == "model.name" {
			if err != nil {
				t.Errorf("model.name is not for CheckParams: %v", err)
			}
		} else if err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", tc.param, err, want)
		}
	}
}

func TestCheckUnknownParameter(t *testing.T) {
	s := &space.Space{Params: []space.Param{
		{Name: "optim.momentum", Kind: space.FloatRange, Low: 0, High: 1},
		{Name: "aug.enabled", Kind: space.IntRange, Low: 0, High: 3},
		{Name: "loop.inner", Kind: space.IntRange, Low: 0, High: 3},
		{Name: "loop.depth", Kind: space.IntRange, Low: 0, High: 3, Otherwise: space.Int(0),
			When: &space.Condition{Param: "loop.inner", In: []space.Value{space.Int(1)}}},
	}}
	want := "the study may ask for what is not yet implemented (optim.momentum: every value; " +
		"aug.enabled: a whole number from 0 to 3; loop.inner: every value; loop.depth: every value); leave it out under constraints"
	if err := support.Check(s, nil); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestQuickstartIsImplemented(t *testing.T) {
	s, err := config.Load("../../configs/study/quickstart.yaml")
	if err != nil {
		t.Fatal(err)
	}
	types := map[string]string{}
	for name := range s.Models {
		types[name] = "bert"
	}
	if err := support.Check(s.Space, types); err != nil {
		t.Error(err)
	}
}
