package space

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNarrow(t *testing.T) {
	for _, tc := range []struct {
		param string
		c     Constraint
		want  string // Allowed of the result
	}{
		{"optim.name", Constraint{Choices: []Value{String("lion"), String("adamw")}}, "adamw, lion"}, // in the space's order
		{"optim.name", Constraint{Fix: String("lamb")}, "lamb"},
		{"train.batch_size", Constraint{Choices: []Value{Int(8), Float(16)}}, "8, 16"},
		{"head.hidden_mult", Constraint{Choices: []Value{Int(1)}}, "1.0"},
		{"optim.lr", Constraint{Low: ptr(1e-5)}, "a number from 1e-05 to 0.003"},
		{"optim.lr", Constraint{Low: ptr(1e-5), High: ptr(1e-4)}, "a number from 1e-05 to 0.0001"},
		{"optim.lr", Constraint{Fix: Float(2.5e-5)}, "only 2.5e-05"},
		{"tok.max_length", Constraint{High: ptr(256.0)}, "a whole number from 128 to 256 in steps of 64"},
		{"tok.max_length", Constraint{Low: ptr(150.0), High: ptr(400.0)}, "a whole number from 192 to 384 in steps of 64"}, // 128+64, 128+4·64
		{"tok.max_length", Constraint{Fix: Int(320)}, "only 320"},
		{"head.n_layers", Constraint{Low: ptr(2.0)}, "a whole number from 2 to 3"},
		{"head.dropout", Constraint{Low: ptr(3 * 0.05), High: ptr(0.26)}, "a number from 0.15 to 0.25 in steps of 0.05"},
		{"aug.p_apply", Constraint{High: ptr(0.1)}, "a number from 0.05 to 0.1 in steps of 0.05"},
		{"aug.p_apply", Constraint{Fix: Float(0.15)}, "only 0.15"},
	} {
		s := whole(t)
		before := s.Clone()
		n, err := s.Narrow(Constraints{tc.param: tc.c})
		if err != nil {
			t.Errorf("%s: %v", tc.param, err)
			continue
		}
		base, _ := s.Param(tc.param)
		p, _ := n.Param(tc.param)
		if p.Allowed() != tc.want || p.Step != base.Step || p.Log != base.Log || p.Otherwise != base.Otherwise {
			t.Errorf("%s: %s, step %v, log %v; want %s", tc.param, p.Allowed(), p.Step, p.Log, tc.want)
		}
		if diff := cmp.Diff(before, s, exact); diff != "" {
			t.Errorf("%s: Narrow changed its space: %s", tc.param, diff)
		}
		if err := n.Validate(); err != nil {
			t.Error(err)
		}
	}
}

func TestNarrowRefuses(t *testing.T) {
	for _, tc := range []struct {
		param string
		c     Constraint
		want  string
	}{
		{"optim.name", Constraint{Choices: []Value{String("adam"), String("sgd")}},
			`optim.name: "sgd" is not allowed; allowed: adamw, adam, adafactor, lion, lamb, adamw_8bit`},
		{"optim.name", Constraint{Choices: []Value{}}, "optim.name: leaves no value; allowed: adamw, adam, adafactor, lion, lamb, adamw_8bit"},
		{"optim.name", Constraint{Choices: []Value{String("adam"), String("adam")}}, `optim.name: "adam" is listed twice`},
		{"optim.name", Constraint{Fix: Int(3)}, "optim.name: 3 is not allowed; allowed: adamw, adam, adafactor, lion, lamb, adamw_8bit"},
		{"train.amp", Constraint{Low: ptr(0.0)}, "train.amp: wants a list of choices or one of them; allowed: true, false"},
		{"optim.lr", Constraint{Choices: []Value{Float(1e-4)}}, "optim.lr: wants {low, high} or one value; allowed: a number from 1e-06 to 0.003"},
		{"optim.lr", Constraint{Low: ptr(1e-7)}, "optim.lr.low: 1e-07 is not allowed; allowed: a number from 1e-06 to 0.003"},
		{"optim.lr", Constraint{High: ptr(1.0)}, "optim.lr.high: 1 is not allowed; allowed: a number from 1e-06 to 0.003"},
		{"optim.lr", Constraint{Low: ptr(1e-3), High: ptr(1e-4)}, "optim.lr: low 0.001, high 0.0001 leaves no value; allowed: a number from 1e-06 to 0.003"},
		{"optim.lr", Constraint{Fix: String("fast")}, `optim.lr: "fast" is not allowed; allowed: a number from 1e-06 to 0.003`},
		{"head.n_layers", Constraint{High: ptr(2.5)}, "head.n_layers.high: 2.5 is not allowed; allowed: a whole number from 1 to 3"},
		{"tok.max_length", Constraint{Low: ptr(130.0), High: ptr(180.0)}, "tok.max_length: low 130, high 180 leaves no value; allowed: a whole number from 128 to 512 in steps of 64"},
		{"tok.max_length", Constraint{Fix: Int(130)}, "tok.max_length: 130 is not allowed; allowed: a whole number from 128 to 512 in steps of 64"},
		{"head.hidden_dim", Constraint{Fix: Int(0)}, "head.hidden_dim: 0 is not allowed; allowed: a whole number from 128 to 1024 in steps of 128"},
		{"optim.lr", Constraint{}, "optim.lr: wants one of a list of choices, {low, high} or one value"},
		{"optim.lr", Constraint{Low: ptr(1e-5), Fix: Float(1e-4)}, "optim.lr: wants one of a list of choices, {low, high} or one value"},
		{"sched.nam", Constraint{Fix: String("linear")}, "sched.nam: is not a parameter; nearest: sched.name, model.name, optim.name"},
	} {
		n, err := whole(t).Narrow(Constraints{tc.param: tc.c})
		var e *Error
		if !errors.As(err, &e) || err.Error() != tc.want {
			t.Errorf("%s: got %v, %v\nwant %s", tc.param, n, err, tc.want)
		}
	}
	_, err := whole(t).Narrow(Constraints{"optim.name": {Choices: []Value{String("adam"), String("sgd")}}})
	var e *Error
	if !errors.As(err, &e) || e.Item == nil || *e.Item != 1 || !cmp.Equal(e.Path(), []string{"1"}) {
		t.Errorf("%v does not point at element 1", err)
	}
}

func TestMerged(t *testing.T) {
	got, err := MergedChoices([]Value{Int(1), Int(2), Int(4)}, []Value{Int(4), Int(1)})
	if diff := cmp.Diff([]Value{Int(1), Int(4)}, got, exact); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if _, err := MergedChoices([]Value{Int(1)}, []Value{Int(3)}); err == nil {
		t.Error("3 became one of [1]")
	}
	lr := Param{Name: "lr", Kind: FloatRange, Low: 0, High: 1}
	if low, high, err := MergedFloat(lr, ptr(0.25), nil); low != 0.25 || high != 1 || err != nil {
		t.Error(low, high, err)
	}
	if _, _, err := MergedFloat(lr, nil, ptr(2.0)); err == nil || err.Error() != "lr.high: 2 is not allowed; allowed: a number from 0 to 1" {
		t.Error(err)
	}
	n := Param{Name: "n", Kind: IntRange, Low: 0, High: 10, Step: 5}
	if low, high, err := MergedInt(n, ptr(1), ptr(9)); low != 5 || high != 5 || err != nil {
		t.Error(low, high, err)
	}
	if _, _, err := MergedInt(n, ptr(6), ptr(9)); err == nil || err.Error() != "n: low 6, high 9 leaves no value; allowed: a whole number from 0 to 10 in steps of 5" {
		t.Error(err)
	}
}

func TestWithChoices(t *testing.T) {
	s := whole(t)
	n, err := s.WithChoices("model.name", String("tiny-48"), String("roberta-base"))
	if err != nil {
		t.Fatal(err)
	}
	before, _ := s.Param("model.name")
	after, _ := n.Param("model.name")
	if len(before.Choices) != 8 || len(after.Choices) != 9 || !after.Contains(String("tiny-48")) {
		t.Errorf("before %v, after %v", before.Choices, after.Choices)
	}
	for name, want := range map[string]string{
		"optim.lr":   "optim.lr: takes a number from 1e-06 to 0.003: no choice can be added",
		"model.nam":  "model.nam: is not a parameter; nearest: model.name, sched.name, optim.name", // 1, 5, 6 edits
		"model.name": "model.name.choices: 3 (int) and \"bert-base-uncased\" (string) differ in type; all choices must have one",
	} {
		if _, err := s.WithChoices(name, Int(3)); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
