package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/shared/space"
)

const narrowedStudy = minimal + `models: {tiny: ../tiny}
constraints: {model.name: [tiny], optim.lr: {low: 1e-5, high: 1e-4}, aug.enabled: false, head.dropout: {low: 0.1}}
`

func TestJSONRoundTrip(t *testing.T) {
	for _, text := range []string{minimal, narrowedStudy} {
		s := parse(t, text)
		data, err := s.JSON()
		if err != nil {
			t.Fatal(err)
		}
		got, err := FromJSON(data)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(s, got, exact); diff != "" {
			t.Error(diff)
		}
	}
}

// What was written before there was a choice of objectives maximises F1-macro, and before
// there was one of schedulers they are ASHA's.
func TestJSONWithoutChoices(t *testing.T) {
	want := parse(t, minimal)
	data, err := want.JSON()
	if err != nil {
		t.Fatal(err)
	}
	var file map[string]any
	exactly := json.NewDecoder(bytes.NewReader(data))
	exactly.UseNumber() // 1.0 is not 1 here
	if err := exactly.Decode(&file); err != nil {
		t.Fatal(err)
	}
	for _, stage := range []string{"a", "b"} {
		fields := file["stages"].(map[string]any)[stage].(map[string]any)
		if fields["scheduler"] == nil {
			t.Fatalf("stage %s has no scheduler: %v", stage, fields)
		}
		delete(fields, "scheduler")
		delete(fields, "objective")
	}
	if data, err = json.Marshal(file); err != nil {
		t.Fatal(err)
	}
	got, err := FromJSON(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, exact); diff != "" {
		t.Error(diff)
	}
}

func TestJSONRefusesEmptyValues(t *testing.T) {
	s := parse(t, minimal)
	s.Constraints = space.Constraints{"optim.lr": {Choices: []space.Value{{}}}}
	if data, err := s.JSON(); err == nil {
		t.Errorf("wrote %s", data)
	}
}

func TestFromJSONRefuses(t *testing.T) {
	data, err := parse(t, narrowedStudy).JSON()
	if err != nil {
		t.Fatal(err)
	}
	good := string(data)
	for _, tc := range []struct{ old, text, want string }{
		{`"schema_version": 1`, `"schema_version": 2`, "read study: schema_version 2: written by a newer version of supermax (this one reads 1)"},
		{`"schema_version": 1`, `"schema_version": 0`, "read study: version: is missing; allowed: 1"},
		{`"name": "first"`, `"name": "first", "colour": "red"`, `read study: json: unknown field "colour"`},
		{`"name": "first"`, `"name": ".."`, `read study: name: ".." is not allowed`},
		{`"trials": 1000`, `"trials": -4`, "read study: stages.a.trials: -4 is not allowed"},
		{`"low": 0.00001,`, `"low": 0.00002,`, "read study: space: is not whole_space narrowed by constraints"},
		{`"fix": false`, `"fix": 3`, "read study: constraints.aug.enabled: 3 is not allowed; allowed: false, true"},
		{`"kind": "float"`, `"kind": "complex"`, `kind: "complex" is not allowed; allowed: categorical, float, int`},
		{`"objective": "f1_macro"`, `"objective": "f1"`, `read study: stages.a.objective: "f1" is not allowed; allowed: f1_macro, f1_per_dollar`},
		{`"export": 20`, `"export": 20, "objective": "ece"`, `read study: stages.b.objective: "ece" is not allowed; allowed: none`},
		{`"kind": "asha"`, `"kind": "sha"`, `read study: stages.a.scheduler.kind: "sha" is not allowed`},
		{`"export": 20`, `"export": 20, "budget": {"epochs": -1}`, "read study: stages.b.budget.epochs: -1 is not allowed"},
		{`"export": 20`, `"export": 20, "budget": {"dollars": -1}`, "read study: stages.b.budget.dollars: -1 is not allowed"},
		{`"export": 20`, `"export": 20, "limits": {"ece": -1}`, "read study: stages.b.limits.ece: -1 is not allowed"},
		{"{", "[", "read study: "},
	} {
		if !strings.Contains(good, tc.old) {
			t.Fatalf("the JSON has no %q", tc.old)
		}
		s, err := FromJSON([]byte(strings.Replace(good, tc.old, tc.text, 1)))
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %+v, %v, want %s", tc.text, s, err, tc.want)
		}
	}
	for text, want := range map[string]string{
		good + "{}": "read study: invalid character '{' after top-level value",
		"":          "read study: unexpected end of JSON input",
	} {
		if _, err := FromJSON([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if _, err := FromJSON([]byte(`{"schema_version": 9}`)); !errors.Is(err, ErrNewerSchema) {
		t.Errorf("%v is not ErrNewerSchema", err)
	}

	var fields map[string]any
	if err := json.Unmarshal(data, &fields); err != nil {
		t.Fatal(err)
	}
	delete(fields, "whole_space")
	without, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := FromJSON(without); err == nil || err.Error() != "read study: space: space or whole_space is missing" {
		t.Error(err)
	}
}

// FuzzParse holds that no study file panics, that every fault names the file and a line,
// and that what is accepted survives its JSON form.
func FuzzParse(f *testing.F) {
	for _, file := range []string{"../../configs/study/quickstart.yaml", "../../configs/study/full.yaml"} {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(minimal))
	f.Add([]byte(narrowedStudy))
	f.Add([]byte(minimal + "constraints: {tok.max_length: {low: 150, high: 400}, head.hidden_dim: 256, head.hidden_mult: [0, 0.5]}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Parse("dir/x.yaml", data)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Line < 1 || e.File != "dir/x.yaml" {
				t.Fatalf("%v has no file or line", err)
			}
			return
		}
		doc, err := s.JSON()
		if err != nil {
			t.Fatal(err)
		}
		got, err := FromJSON(doc)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(s, got, exact); diff != "" {
			t.Fatal(diff)
		}
	})
}
