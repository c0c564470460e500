package analysis

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/supermax-hpo/supermax/shared/sampler"
)

// ImportanceOptions say which trials are set against which. The zero value compares the
// best tenth with all.
type ImportanceOptions struct {
	Target float64 // the share of the trials that is to be reached: above 0; 0: 0.1
	Region float64 // the share of the trials within which: above Target, up to 1; 0: 1

	// Global measures against a uniform draw from the space, not against where the region's
	// trials really lie: a parameter then also counts for what the sampler already learned
	// of it.
	Global bool
}

const (
	defaultTarget = 0.1
	defaultRegion = 1
)

// Importances say how much each parameter matters for being among the target's trials
// rather than anywhere in the region.
type Importances struct {
	Results int `json:"results"` // trials with a value
	Region  int `json:"region"`  // of them in the region
	Target  int `json:"target"`  // of them in the target; below 5 there is little to be learned

	// Params holds each parameter that has more than one value and was on in some result,
	// the most important first, equals in the space's order.
	Params []Importance `json:"params"`
}

// An Importance is that of one parameter.
type Importance struct {
	Param string `json:"param"`
	// Divergence is the weighted Pearson divergence of the parameter's density in the
	// target from that in the region: 0 when they are alike.
	Divergence float64 `json:"divergence"`
	// Share is the divergence over the sum of all parameters'; 0 for all when nothing
	// distinguishes the target from the region.
	Share float64 `json:"share"`
}

// PedAnova returns the importances of the parameters by PED-ANOVA: each parameter's values
// in the best trials and in all become two densities, and the more they differ the more
// the parameter decides. Interactions between parameters are not seen. A parameter that is
// not always on is compared among the trials in which it is on, and that divergence
// weighted by the share of the target's and of the region's trials that these are; whether
// it is on at all counts for the parameter that switches it.
//
// The target and the region are the best shares of the results: with one objective by its
// value, values like the last one's included; with several by non-dominated rank, the last
// rank thinned out by [sampler.SpreadOut]'s hypervolume. Infeasible results come after
// all feasible ones. Results without finite values are left out; their order does not
// matter. Of fewer than two results nothing can be said: every divergence is 0.
//
// Watanabe, Bansal and Hutter, "PED-ANOVA: efficiently quantifying hyperparameter
// importance in arbitrary subspaces" (2023), formula 16; for parameters that are not
// always on "Conditional PED-ANOVA" (2026), theorem 4.2.
func PedAnova(p sampler.Problem, results []sampler.Observation, o ImportanceOptions) (Importances, error) {
	o, err := o.withDefaults()
	if err != nil {
		return Importances{}, err
	}
	if p.Space == nil || len(p.Directions) == 0 {
		return Importances{}, fmt.Errorf("importances: the problem needs a space and at least one objective")
	}
	all, err := usable(p, results)
	if err != nil {
		return Importances{}, err
	}
	region := best(p, all, o.Region)
	target := best(p, all, o.Target)
	out := Importances{Results: len(all), Region: len(region), Target: len(target), Params: []Importance{}}
	sum := 0.0
	for i := range p.Space.Params {
		param := &p.Space.Params[i]
		on := column(all, i)
		if param.Count() == 1 || len(on) == 0 {
			continue
		}
		d := 0.0
		if len(all) > 1 {
			d = divergence(newGrid(*param), column(target, i), column(region, i), len(target), len(region), o.Global)
		}
		out.Params = append(out.Params, Importance{Param: param.Name, Divergence: d})
		sum += d
	}
	for i := range out.Params {
		if sum > 0 {
			out.Params[i].Share = out.Params[i].Divergence / sum
		}
	}
	slices.SortStableFunc(out.Params, func(a, b Importance) int { return cmp.Compare(b.Divergence, a.Divergence) })
	return out, nil
}

func (o ImportanceOptions) withDefaults() (ImportanceOptions, error) {
	if o.Target == 0 {
		o.Target = defaultTarget
	}
	if o.Region == 0 {
		o.Region = defaultRegion
	}
	switch {
	case !(o.Region > 0 && o.Region <= 1):
		return o, fmt.Errorf("importances: the region %v is not allowed; allowed: a share above 0, up to 1", o.Region)
	case !(o.Target > 0 && o.Target < o.Region):
		return o, fmt.Errorf("importances: the target %v is not allowed; allowed: a share above 0, below the region's %v", o.Target, o.Region)
	case o.Global && o.Region != 1:
		return o, fmt.Errorf("importances: the region %v has no meaning for global importances; allowed: 1", o.Region)
	}
	return o, nil
}

// usable returns the results with finite values in order of their numbers.
func usable(p sampler.Problem, results []sampler.Observation) ([]sampler.Observation, error) {
	var kept []sampler.Observation
	for _, r := range results {
		if err := p.Space.CheckPoint(r.Point); err != nil {
			return nil, fmt.Errorf("importances: trial %d: %w", r.Number, err)
		}
		if len(r.Values) == 0 || slices.ContainsFunc(r.Values, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }) {
			continue
		}
		if len(r.Values) != len(p.Directions) {
			return nil, fmt.Errorf("importances: trial %d has %d values for %d objectives", r.Number, len(r.Values), len(p.Directions))
		}
		kept = append(kept, r)
	}
	slices.SortFunc(kept, func(a, b sampler.Observation) int { return cmp.Compare(a.Number, b.Number) })
	return kept, nil
}

// column returns a parameter's values in the results in which it is on.
func column(results []sampler.Observation, param int) []float64 {
	var values []float64
	for _, r := range results {
		if x := r.Point[param]; !math.IsNaN(x) {
			values = append(values, x)
		}
	}
	return values
}

// fewest is how many of the region's trials must have a parameter on: one value alone has
// no density.
const fewest = 2

// divergence returns a parameter's importance from its values in the target and in the
// region, which have so many trials in all.
func divergence(g grid, target, region []float64, targets, regions int, global bool) float64 {
	if len(region) < fewest || len(target) == 0 {
		return 0
	}
	top := g.density(target)
	base := g.uniform()
	if !global {
		base = g.density(region)
	}
	sum := 0.0
	for i := range base {
		ratio := top[i]/base[i] - 1
		sum += base[i] * ratio * ratio
	}
	alpha, beta := float64(len(target))/float64(targets), float64(len(region))/float64(regions)
	quantile := float64(targets) / float64(regions)
	return alpha * alpha / beta * sum * quantile * quantile
}
