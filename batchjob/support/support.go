// Package support says which values of the search space the trainer implements, and with
// which backbones, so that a study which could ask for another is refused before it
// starts, and never trained with something else in its place.
package support

import (
	"fmt"
	"slices"
	"strings"

	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/shared/space"
)

// modelName is the parameter whose values stand for folders with a model type.
const modelName = "model.name"

// A rule says what the trainer implements of one parameter.
type rule struct {
	param string
	only  []space.Value // nil: every value of the space
}

// rules names every parameter that the trainer reads, but model.name. The parameters that
// aug.enabled switches on come with it.
func rules() []rule {
	off := []space.Value{space.Bool(false)}
	return []rule{
		{"tok.max_length", nil},
		{"model.gradient_checkpointing", nil},
		{"head.pooling", nil},
		{"head.hidden_mult", nil},
		{"head.hidden_dim", nil},
		{"head.n_layers", nil},
		{"head.activation", nil},
		{"head.dropout", nil},
		{"optim.name", []space.Value{space.String("adamw")}},
		{"optim.lr", nil},
		{"optim.weight_decay", nil},
		{"sched.name", []space.Value{space.String("linear")}},
		{"sched.warmup_ratio", nil},
		{"train.batch_size", nil},
		{"train.grad_accum", nil},
		{"train.amp", off},
		{"reg.label_smoothing", nil},
		{"reg.max_grad_norm", nil},
		{"null.strategy", nil},
		{"null.threshold", nil},
		{"null.ratio", nil},
		{"null.temperature", nil},
		{"aug.enabled", off},
	}
}

// Check reports, in one sentence, everything that s may ask for and that is not yet
// implemented, by parameter and value. modelTypes gives the model type in the config.json
// of each backbone whose folder is known. What can never be active is no fault.
func Check(s *space.Space, modelTypes map[string]string) error {
	var faults []string
	for _, p := range s.Params {
		if !s.Reachable(p.Name) {
			continue
		}
		if lacking := lackingValues(s, p, modelTypes); len(lacking) > 0 {
			faults = append(faults, p.Name+": "+strings.Join(lacking, ", "))
		}
	}
	if len(faults) == 0 {
		return nil
	}
	return fmt.Errorf("the study may ask for what is not yet implemented (%s); leave it out under constraints",
		strings.Join(faults, "; "))
}

// lackingValues lists the values of p that are not implemented.
func lackingValues(s *space.Space, p space.Param, types map[string]string) []string {
	if p.Name == modelName {
		return lackingModels(p, types)
	}
	r, known := find(p.Name)
	if !known {
		if governed(s, p) {
			return nil
		}
		return []string{"every value"}
	}
	if r.only == nil {
		return nil
	}
	if p.Kind != space.Categorical {
		return []string{p.Allowed()}
	}
	var lacking []string
	for _, v := range p.Choices {
		if !r.implements(v) {
			lacking = append(lacking, v.String())
		}
	}
	return lacking
}

func lackingModels(p space.Param, types map[string]string) []string {
	var lacking []string
	for _, v := range p.Choices {
		switch t, known := types[v.String()]; {
		case !known:
			lacking = append(lacking, v.String()+" (no folder under models)")
		case !slices.Contains(pretrained.ModelTypes(), t):
			lacking = append(lacking, fmt.Sprintf("%s (model type %q)", v, t))
		}
	}
	return lacking
}

// governed reports whether p is active only under a value of another parameter that is
// itself listed as lacking, so that one line about that value is enough.
func governed(s *space.Space, p space.Param) bool {
	if p.When == nil {
		return false
	}
	parent, _ := s.Param(p.When.Param)
	r, known := find(parent.Name)
	if !known {
		return governed(s, parent)
	}
	if r.only == nil {
		return false
	}
	return !slices.ContainsFunc(r.only, p.When.Holds)
}

// CheckParams reports, in one sentence, what the parameters of one trial ask for that is
// not implemented. The backbone's model type is for those to check who read its config.json.
func CheckParams(a space.Assignment) error {
	var faults []string
	for _, r := range rules() {
		if v, ok := a[r.param]; ok && !r.implements(v) {
			faults = append(faults, r.param+": "+v.String())
		}
	}
	if len(faults) == 0 {
		return nil
	}
	return fmt.Errorf("the trial asks for what is not yet implemented (%s)", strings.Join(faults, "; "))
}

func find(param string) (rule, bool) {
	all := rules()
	i := slices.IndexFunc(all, func(r rule) bool { return r.param == param })
	if i < 0 {
		return rule{}, false
	}
	return all[i], true
}

func (r rule) implements(v space.Value) bool {
	return r.only == nil || slices.ContainsFunc(r.only, v.Equal)
}
