package analysis

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/supermax-hpo/supermax/shared/space"
	"github.com/supermax-hpo/supermax/shared/study"
)

// small has a parameter of each kind, one that is not always on, one that never is and one
// with a single value.
func small() *space.Space {
	in := func(name string, v space.Value) *space.Condition {
		return &space.Condition{Param: name, In: []space.Value{v}}
	}
	return &space.Space{Params: []space.Param{
		{Name: "drop", Kind: space.FloatRange, Low: -1, High: 3},
		{Name: "lr", Kind: space.FloatRange, Low: 1e-6, High: 1e-2, Log: true},
		{Name: "head", Kind: space.Categorical, Choices: []space.Value{space.String("linear"), space.String("mlp"), space.String("deep")}},
		{Name: "layers", Kind: space.IntRange, Low: 1, High: 5, When: in("head", space.String("mlp")), Otherwise: space.Int(0)},
		{Name: "one", Kind: space.Categorical, Choices: []space.Value{space.Bool(true)}},
		{Name: "never", Kind: space.IntRange, Low: 1, High: 5, When: in("one", space.Bool(false)), Otherwise: space.Int(0)},
	}}
}

func params(drop, lr float64, head string, layers int) space.Assignment {
	return space.Assignment{"drop": space.Float(drop), "lr": space.Float(lr), "head": space.String(head), "layers": space.Int(layers),
		"one": space.Bool(true), "never": space.Int(0)}
}

func TestParallel(t *testing.T) {
	if err := small().Validate(); err != nil {
		t.Fatal(err)
	}
	ranked := []study.Trial{
		{Number: 7, Params: params(0, 1e-4, "mlp", 2), Reports: []study.Report{told(7, 1, 0.1, 0, 0, 0), told(7, 3, 0.8, 0.1, 0, 0)}},
		{Number: 3, Params: params(3, 1e-2, "linear", 0), Reports: []study.Report{told(3, 1, 0.2, 0.3, 0, 0)}},
	}
	by := StageImportances{Importances: Importances{Params: []Importance{{Param: "layers"}, {Param: "lr"}}}}
	got, err := parallel(small(), ranked, by)
	if err != nil {
		t.Fatal(err)
	}
	choices := small().Params[2].Choices
	want := Parallel{
		Axes: []Axis{
			{Param: "layers", Kind: "int", Low: 1, High: 5}, {Param: "lr", Kind: "float", Low: 1e-6, High: 1e-2, Log: true},
			{Param: "drop", Kind: "float", Low: -1, High: 3}, {Param: "head", Kind: "categorical", Choices: choices},
		},
		Lines: []Line{
			{Trial: 7, Epoch: 3, Value: study.Value{F1Macro: 0.8, ECE: 0.1}, Places: Places{0.25, 0.5, 0.25, 0.5}},
			{Trial: 3, Epoch: 1, Value: study.Value{F1Macro: 0.2, ECE: 0.3}, Places: Places{nan, 1, 1, 0}},
		},
	}
	if d := cmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-12), cmpopts.EquateNaNs(), cmp.AllowUnexported(space.Value{})); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	data, err := json.Marshal(got.Lines[1])
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"trial":3,"epoch":1,"value":{"f1_macro":0.2,"ece":0.3},"places":[null,1,1,0]}`; string(data) != want {
		t.Errorf("got %s\nwant %s", data, want)
	}
	bad := []study.Trial{{Number: 4, Params: params(0, 1, "mlp", 2), Reports: ranked[1].Reports}}
	if _, err := parallel(small(), bad, by); err == nil || err.Error() != "trial 4: lr: 1.0 is not allowed; allowed: a number from 1e-06 to 0.01" {
		t.Errorf("error %v", err)
	}
}
