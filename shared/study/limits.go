package study

import "math"

// Limits are bounds on what a trial may be, beside its objectives. A trial whose last report
// is above one is infeasible: it ranks behind all that are feasible, is promoted after them
// and never handed on to the next stage. 0 is no limit.
type Limits struct {
	ECE             float64 `json:"ece,omitempty"`
	SecondsPerEpoch float64 `json:"seconds_per_epoch,omitempty"` // of one seed's epoch, as the attempt that reported took
	PeakMemoryGB    float64 `json:"peak_memory_gb,omitempty"`    // of 2^30 bytes, as a GPU's are counted
}

// gigabyte is what memory is limited in.
const gigabyte = 1 << 30

// validate reports the limits that no number is or that are negative.
func (l Limits) validate(name string, bad func(field string, value any, allowed string)) {
	for _, f := range []struct {
		name  string
		value float64
	}{{"ece", l.ECE}, {"seconds_per_epoch", l.SecondsPerEpoch}, {"peak_memory_gb", l.PeakMemoryGB}} {
		if !(f.value >= 0) || math.IsInf(f.value, 0) {
			bad(name+".limits."+f.name, f.value, "a number above 0, or 0 for no limit")
		}
	}
}

// violation returns by how much the trial's report at a rung breaks the stage's limits: the
// sum of (value − limit) / limit over those that it is above, 0 if it keeps them all. What
// was carried to a rung is as it was where it was trained.
func (t *Trial) violation(p plan, rung int) float64 {
	if p.limits == (Limits{}) || rung < 0 {
		return 0
	}
	for t.Reports[rung].Carried {
		rung--
	}
	r := t.Reports[rung]
	sum := above(r.Value.ECE, p.limits.ECE) + above(float64(r.PeakMemoryBytes)/gigabyte, p.limits.PeakMemoryGB)
	if n := t.Epochs(rung); n > 0 {
		sum += above(r.CostSeconds/float64(n), p.limits.SecondsPerEpoch)
	}
	return min(sum, math.MaxFloat64)
}

func above(value, limit float64) float64 {
	if limit == 0 || value <= limit {
		return 0
	}
	return (value - limit) / limit
}
