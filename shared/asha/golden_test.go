package asha

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/supermax-hpo/supermax/shared/sampler"
	"github.com/supermax-hpo/supermax/tests/goldentest"
)

// number is a float that the golden files write as "inf", "-inf" or "nan" where JSON has
// no other way.
type number float64

func (n *number) UnmarshalJSON(data []byte) error {
	f, err := strconv.ParseFloat(strings.Trim(string(data), `"`), 64)
	*n = number(f)
	return err
}

// prunerTrace is what trials reported to one of Optuna's pruners and what it decided.
type prunerTrace struct {
	Pruner    string
	Direction string
	Trace     struct {
		Trial  []int
		Step   []int
		Value  []number
		Pruned []int
	}
	Final    []string
	Bracket  []int
	Brackets int `json:"n_brackets"`
	// By trial and "completed_rung_" and the rung, for some trials.
	Rungs map[string]map[string]number `json:"rungs_example"`
}

func readPruners(t testing.TB) []prunerTrace {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(goldentest.Dir(t, "hpo"), "pruners*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("find pruners: %v, %d files", err, len(files))
	}
	var all []prunerTrace
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var traces []prunerTrace
		if err := json.Unmarshal(data, &traces); err != nil {
			t.Fatalf("read %s: %v", file, err)
		}
		all = append(all, traces...)
	}
	if len(all) == 0 {
		t.Fatalf("%v hold no trace", files)
	}
	return all
}

var prunerCall = regexp.MustCompile(`^(\w+)\((.*)\)$`)

// options returns the options that do what the golden file's pruner did. Optuna looks at
// the last step too, where there is nothing left to decide for us: so trials are one epoch
// longer here, but for Hyperband, whose brackets follow from the length.
func (p prunerTrace) options(t testing.TB) Options {
	t.Helper()
	call := prunerCall.FindStringSubmatch(p.Pruner)
	if call == nil {
		t.Fatalf("pruner %q is not a call", p.Pruner)
	}
	o := Options{Directions: []sampler.Direction{sampler.Minimize}, Last: slices.Max(p.Trace.Step) + 1}
	if p.Direction == "maximize" {
		o.Directions[0] = sampler.Maximize
	}
	var positions []string
	switch call[1] {
	case "SuccessiveHalving":
		o.Kind = KindStopping
	case "Hyperband":
		o.Kind, o.Study = KindHyperband, "gold"
		positions = []string{"min_resource", "max_resource", "rf"}
	case "Percentile":
		o.Kind, o.StartupTrials = KindPercentile, 5
		positions = []string{"percentile"}
	case "Median":
		o.Kind, o.StartupTrials = KindMedian, 5
	default:
		t.Fatalf("pruner %q is not known", p.Pruner)
	}
	for i, arg := range strings.Split(call[2], ",") {
		if arg == "" {
			continue
		}
		name, value, named := strings.Cut(arg, "=")
		if !named {
			name, value = positions[i], arg
		}
		if name == "percentile" {
			f, err := strconv.ParseFloat(value, 64)
			if err != nil {
				t.Fatal(err)
			}
			o.Percentile = f
			continue
		}
		option, known := map[string]*int{
			"min_resource": &o.First, "max_resource": &o.Last, "rf": &o.Factor, "mesr": &o.MinEarlyStoppingRate,
			"bootstrap_count": &o.Bootstrap, "n_startup": &o.StartupTrials, "warmup": &o.WarmupEpochs,
			"interval": &o.IntervalEpochs, "n_min_trials": &o.MinTrials,
		}[name]
		if !known {
			t.Fatalf("pruner %q: argument %s is not known", p.Pruner, name)
		}
		n, err := strconv.Atoi(value)
		if err != nil {
			t.Fatal(err)
		}
		*option = n
	}
	return o
}

// Every decision is Optuna's.
func TestGoldenPruners(t *testing.T) {
	for _, p := range readPruners(t) {
		t.Run(p.Pruner, func(t *testing.T) {
			s, err := NewScheduler(p.options(t))
			if err != nil {
				t.Fatal(err)
			}
			steps := slices.Max(p.Trace.Step)
			final := make([]string, len(p.Final))
			st := s.Standings()
			decisions, stops := 0, 0
			for i, trial := range p.Trace.Trial {
				r := Result{Trial: trial, Epoch: p.Trace.Step[i], Values: []float64{float64(p.Trace.Value[i])}}
				st = st.Reported(r)
				stop := r.Epoch < s.last() && !st.GoesOn(r)
				if stop != (p.Trace.Pruned[i] == 1) {
					t.Fatalf("report %d: trial %d, epoch %d, value %v: stopped is %v, Optuna says %v",
						i, trial, r.Epoch, r.Values[0], stop, !stop)
				}
				decisions++
				switch {
				case stop:
					stops++
					final[trial] = "PRUNED"
				case r.Epoch == steps:
					final[trial] = "COMPLETE"
					if r.Epoch < s.last() {
						st = st.Reported(Result{Trial: trial, Epoch: s.last(), Values: []float64{math.NaN()}})
					}
				}
			}
			if !slices.Equal(final, p.Final) {
				t.Errorf("the trials ended as %v, Optuna's as %v", final, p.Final)
			}
			if decisions == 0 || stops == 0 {
				t.Errorf("%d decisions, %d to stop", decisions, stops)
			}
		})
	}
}

func TestGoldenBrackets(t *testing.T) {
	found := 0
	for _, p := range readPruners(t) {
		if len(p.Bracket) == 0 {
			continue
		}
		found++
		s, err := NewScheduler(p.options(t))
		if err != nil {
			t.Fatal(err)
		}
		if got := len(s.Brackets()); got != p.Brackets {
			t.Errorf("%s: %d brackets, want %d", p.Pruner, got, p.Brackets)
		}
		for trial, want := range p.Bracket {
			if got := s.bracket(trial); got != want {
				t.Fatalf("%s: trial %d is in bracket %d, want %d", p.Pruner, trial, got, want)
			}
		}
	}
	if found == 0 {
		t.Error("no trace has brackets")
	}
}

// What counted at each rung is what Optuna wrote down there.
func TestGoldenRungs(t *testing.T) {
	found := 0
	for _, p := range readPruners(t) {
		if len(p.Rungs) == 0 {
			continue
		}
		s, err := NewScheduler(p.options(t))
		if err != nil {
			t.Fatal(err)
		}
		st := s.Standings()
		for i, trial := range p.Trace.Trial {
			st = st.Reported(Result{Trial: trial, Epoch: p.Trace.Step[i], Values: []float64{float64(p.Trace.Value[i])}})
		}
		for trial, rungs := range p.Rungs {
			n, err := strconv.Atoi(trial)
			if err != nil {
				t.Fatal(err)
			}
			for rung, l := range st.levels {
				want, counted := rungs[fmt.Sprintf("completed_rung_%d", rung)]
				_, got := l.line.Get(entry{first: loss(float64(want), s.o.Directions[0]), trial: n})
				if counted != got {
					t.Errorf("%s: trial %d counts at rung %d with %v: %v, want %v", p.Pruner, n, rung, want, got, counted)
				}
				if counted {
					found++
				}
			}
		}
	}
	if found == 0 {
		t.Error("no trace has rungs")
	}
}
