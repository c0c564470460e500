package space

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The space as issue 3 lists it: name, type, allowed values, condition, value when off.
func TestWholeSpace(t *testing.T) {
	s := whole(t)
	type row struct{ Name, Type, Allowed, When, Otherwise string }
	want := []row{
		{"model.name", "string", "bert-base-uncased, roberta-base, microsoft/deberta-v3-base, google/electra-base-discriminator, albert-base-v2, distilbert-base-uncased, YituTech/conv-bert-base, xlnet-base-cased", "", ""},
		{"tok.max_length", "int", "a whole number from 128 to 512 in steps of 64", "", ""},
		{"model.gradient_checkpointing", "bool", "false, true", "", ""},
		{"head.pooling", "string", "cls, mean, max, attention", "", ""},
		{"head.hidden_mult", "float", "0.0, 0.5, 1.0, 2.0", "", ""},
		{"head.hidden_dim", "int", "a whole number from 128 to 1024 in steps of 128", "head.hidden_mult", "0"},
		{"head.n_layers", "int", "a whole number from 1 to 3", "", ""},
		{"head.activation", "string", "relu, gelu, swish", "", ""},
		{"head.dropout", "float", "a number from 0 to 0.5 in steps of 0.05", "", ""},
		{"optim.name", "string", "adamw, adam, adafactor, lion, lamb, adamw_8bit", "", ""},
		{"optim.lr", "float", "a number from 1e-06 to 0.003", "", ""},
		{"optim.weight_decay", "float", "a number from 1e-06 to 0.01", "", ""},
		{"sched.name", "string", "linear, cosine, cosine_restart, polynomial, one_cycle", "", ""},
		{"sched.warmup_ratio", "float", "a number from 0 to 0.2", "", ""},
		{"train.batch_size", "int", "8, 16, 24, 32, 48, 64", "", ""},
		{"train.grad_accum", "int", "1, 2, 4", "", ""},
		{"train.amp", "bool", "true, false", "", ""},
		{"reg.label_smoothing", "float", "a number from 0 to 0.2", "", ""},
		{"reg.max_grad_norm", "float", "0.0, 0.5, 1.0, 2.0", "", ""},
		{"null.strategy", "string", "none, threshold, ratio, calibrated", "", ""},
		{"null.threshold", "float", "a number from 0 to 0.9", "null.strategy", "0.0"},
		{"null.ratio", "float", "a number from 0 to 0.8", "null.strategy", "0.0"},
		{"null.temperature", "float", "a number from 0.5 to 3", "null.strategy", "1.0"},
		{"aug.enabled", "bool", "false, true", "", ""},
		{"aug.p_apply", "float", "a number from 0.05 to 0.3 in steps of 0.05", "aug.enabled", "0.0"},
		{"aug.ops_per_sample", "int", "a whole number from 1 to 3", "aug.enabled", "0"},
		{"aug.max_replace", "float", "a number from 0.1 to 0.4 in steps of 0.05", "aug.enabled", "0.0"},
		{"aug.antonym_guard", "string", "off, on_low_weight", "aug.enabled", "off"},
		{"aug.method_strategy", "string", "all, nlpaug, textattack, light, custom", "aug.enabled", "none"},
	}
	var got []row
	for _, p := range s.Params {
		r := row{Name: p.Name, Type: string(p.Type()), Allowed: p.Allowed()}
		if p.When != nil {
			r.When, r.Otherwise = p.When.Param, p.Otherwise.String()
		}
		got = append(got, r)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, name := range []string{"optim.lr", "optim.weight_decay"} {
		if p, _ := s.Param(name); !p.Log {
			t.Errorf("%s is not logarithmic", name)
		}
	}
	if diff := cmp.Diff(len(want), len(s.Names())); diff != "" {
		t.Error(diff)
	}
}

func TestStepsPrintAsWritten(t *testing.T) {
	p, _ := whole(t).Param("aug.p_apply")
	var got []string
	for i := range p.Count() {
		got = append(got, p.At(i).String())
	}
	if diff := cmp.Diff([]string{"0.05", "0.1", "0.15", "0.2", "0.25", "0.3"}, got); diff != "" {
		t.Error(diff)
	}
	for _, i := range []int{-1, 6} {
		if p.At(i).IsValid() {
			t.Errorf("At(%d) = %v", i, p.At(i))
		}
	}
}

func TestContains(t *testing.T) {
	s := whole(t)
	for _, tc := range []struct {
		param string
		value Value
		want  bool
	}{
		{"optim.name", String("lion"), true},
		{"optim.name", String("sgd"), false},
		{"optim.name", Int(1), false},
		{"train.amp", Bool(true), true},
		{"train.amp", Int(1), false},
		{"train.batch_size", Int(24), true},
		{"train.batch_size", Float(24), true},
		{"train.batch_size", Int(25), false},
		{"head.hidden_mult", Int(2), true},
		{"tok.max_length", Int(192), true},
		{"tok.max_length", Float(192), true},
		{"tok.max_length", Int(200), false},
		{"tok.max_length", Float(192.0000001), false},
		{"tok.max_length", Int(576), false},
		{"tok.max_length", String("192"), false},
		{"head.n_layers", Int(2), true},
		{"head.n_layers", Float(2.5), false},
		{"head.dropout", Float(3 * 0.05), true}, // 0.15000000000000002
		{"head.dropout", Float(0.16), false},
		{"optim.lr", Float(1e-6), true},
		{"optim.lr", Float(3e-3), true},
		{"optim.lr", Float(3.1e-3), false},
		{"optim.lr", Value{}, false},
	} {
		p, ok := s.Param(tc.param)
		if !ok || p.Contains(tc.value) != tc.want {
			t.Errorf("%s contains %v: %v, want %v", tc.param, tc.value, !tc.want, tc.want)
		}
		if in := p.Index(tc.value) >= 0; p.Count() > 0 && in != tc.want {
			t.Errorf("%s: Index(%v) = %d", tc.param, tc.value, p.Index(tc.value))
		}
	}
}

func TestCounts(t *testing.T) {
	s := whole(t)
	for param, want := range map[string]int{"model.name": 8, "tok.max_length": 7, "head.dropout": 11, "optim.lr": 0, "head.n_layers": 3} {
		if p, _ := s.Param(param); p.Count() != want {
			t.Errorf("%s has %d values, want %d", param, p.Count(), want)
		}
	}
}

// complete is an assignment that the whole space accepts, with every switch off.
func complete() Assignment {
	return Assignment{
		"model.name": String("roberta-base"), "tok.max_length": Int(256), "model.gradient_checkpointing": Bool(false),
		"head.pooling": String("cls"), "head.hidden_mult": Float(0), "head.hidden_dim": Int(0), "head.n_layers": Int(1),
		"head.activation": String("gelu"), "head.dropout": Float(0.1), "optim.name": String("adamw"), "optim.lr": Float(1e-4),
		"optim.weight_decay": Float(1e-3), "sched.name": String("linear"), "sched.warmup_ratio": Float(0.1),
		"train.batch_size": Int(16), "train.grad_accum": Int(1), "train.amp": Bool(false), "reg.label_smoothing": Float(0),
		"reg.max_grad_norm": Float(1), "null.strategy": String("none"), "null.threshold": Float(0), "null.ratio": Float(0),
		"null.temperature": Float(1), "aug.enabled": Bool(false), "aug.p_apply": Float(0), "aug.ops_per_sample": Int(0),
		"aug.max_replace": Float(0), "aug.antonym_guard": String("off"), "aug.method_strategy": String("none"),
	}
}

func TestComplete(t *testing.T) {
	s := whole(t)
	got, err := s.Complete(complete())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(complete(), got, exact); diff != "" {
		t.Error(diff)
	}

	given := complete()
	given["train.batch_size"] = Float(16)   // a whole float for an int
	given["reg.max_grad_norm"] = Int(1)     // an int for a float
	given["head.dropout"] = Float(3 * 0.05) // a step but for its last bit
	given["null.threshold"] = Float(0.7)    // off: becomes its Otherwise
	given["head.hidden_mult"] = Float(0.5)  // switches head.hidden_dim on
	given["head.hidden_dim"] = Int(384)
	want := complete()
	want["head.dropout"], want["head.hidden_mult"], want["head.hidden_dim"] = Float(0.15), Float(0.5), Int(384)
	got, err = s.Complete(given)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, exact); diff != "" {
		t.Error(diff)
	}
}

func TestCompleteRefuses(t *testing.T) {
	s := whole(t)
	for _, tc := range []struct {
		name  string
		value Value // invalid: the parameter is left out
		want  string
	}{
		{"optim.lr", Float(1), "optim.lr: 1.0 is not allowed; allowed: a number from 1e-06 to 0.003"},
		{"optim.lr", Value{}, "optim.lr: is missing; allowed: a number from 1e-06 to 0.003"},
		{"optim.lrr", Float(1e-4), "optim.lrr: is not a parameter; nearest: optim.lr, optim.name, train.amp"},
		{"head.hidden_mult", Float(1), "head.hidden_dim: 0 is not allowed; allowed: a whole number from 128 to 1024 in steps of 128"},
		{"aug.enabled", String("yes"), `aug.enabled: "yes" is not allowed; allowed: false, true`},
	} {
		a := complete()
		if a[tc.name] = tc.value; !tc.value.IsValid() {
			delete(a, tc.name)
		}
		if got, err := s.Complete(a); err == nil || err.Error() != tc.want {
			t.Errorf("%s = %v: got %v, %v, want %s", tc.name, tc.value, got, err, tc.want)
		}
	}
}
