package study

import (
	"cmp"
	"math"
	"slices"

	"github.com/supermax-hpo/supermax/shared/protocol"
)

// maxCostSeconds is ten years, which no attempt lasts; the sum of many stays finite.
const maxCostSeconds = 10 * 366 * 24 * 3600

// slack allows the last bits of a rounded mean past the ends of a range.
const slack = 1e-9

// checkOutcome checks what does not depend on the trial.
func checkOutcome(o protocol.Outcome) error {
	if !(o.CostSeconds >= 0 && o.CostSeconds <= maxCostSeconds) {
		return invalid("cost_seconds is %v; allowed: 0 to %d", o.CostSeconds, maxCostSeconds)
	}
	if o.PeakMemoryBytes < 0 || o.PeakMemoryBytes > maxWhole {
		return invalid("peak_memory_bytes is %d; allowed: 0 to 2^53", o.PeakMemoryBytes)
	}
	if o.Failed == nil {
		return nil
	}
	if len(o.Epochs) > 0 {
		return invalid("the outcome has %d epochs and a failure; allowed: one of the two", len(o.Epochs))
	}
	switch o.Failed.Kind {
	case protocol.FailedOOM, protocol.FailedNaN, protocol.FailedData, protocol.FailedCrash, protocol.FailedInterrupted:
		return nil
	}
	return invalid("failure kind %q is not allowed; allowed: oom, nan, data, crash, interrupted", o.Failed.Kind)
}

// progress returns the trial's seeds after the epochs of its present rung, and its value.
// Each seed must have every epoch of the rung without a gap, up to the one after which it
// stopped ([SeedBest.Stopped]), and none after that.
func (t *Trial) progress(p plan, epochs []protocol.EpochMetrics) ([]SeedBest, Value, error) {
	from, to := p.rungs(t.Number).Span(t.Rung)
	seeds := slices.Clone(t.Seeds)
	if seeds == nil {
		seeds = make([]SeedBest, len(p.seeds))
		for i, seed := range p.seeds {
			seeds[i].Seed = seed
		}
	}
	sorted := slices.SortedFunc(slices.Values(epochs), func(a, b protocol.EpochMetrics) int { return cmp.Compare(a.Epoch, b.Epoch) })
	for _, e := range sorted {
		i := slices.IndexFunc(seeds, func(b SeedBest) bool { return b.Seed == e.Seed })
		switch {
		case i < 0:
			return nil, Value{}, invalid("seed %d is not one of the stage's: %v", e.Seed, p.seeds)
		case e.Epoch <= from || e.Epoch > to:
			return nil, Value{}, invalid("seed %d has epoch %d; allowed: %d to %d", e.Seed, e.Epoch, from+1, to)
		case seeds[i].Stopped(p.patience):
			return nil, Value{}, invalid("seed %d has epoch %d, but it stopped after epoch %d: %d epochs without a better F1-macro",
				e.Seed, e.Epoch, seeds[i].Last, p.patience)
		case e.Epoch == seeds[i].Last:
			return nil, Value{}, invalid("seed %d has epoch %d twice", e.Seed, e.Epoch)
		case e.Epoch != seeds[i].Last+1:
			return nil, Value{}, invalid("seed %d has epoch %d after epoch %d: what lies between is missing", e.Seed, e.Epoch, seeds[i].Last)
		}
		if err := checkMetrics(e); err != nil {
			return nil, Value{}, err
		}
		seeds[i] = seeds[i].Seen(e.Epoch, e.F1Macro, e.ECE)
	}
	for _, b := range seeds {
		if b.Last < to && !b.Stopped(p.patience) {
			return nil, Value{}, invalid("seed %d ends at epoch %d, but its rung at %d; fewer are allowed only after %d epochs without a better F1-macro (0: never)",
				b.Seed, b.Last, to, p.patience)
		}
	}
	return seeds, meanOf(seeds), nil
}

// exhausted reports whether no seed has anything left to train.
func exhausted(seeds []SeedBest, patience int) bool {
	return !slices.ContainsFunc(seeds, func(b SeedBest) bool { return !b.Stopped(patience) })
}

// checkMetrics checks the ranges of one epoch's metrics.
func checkMetrics(e protocol.EpochMetrics) error {
	metrics := []struct {
		name     string
		value    float64
		low, top float64
	}{
		{"f1_macro", e.F1Macro, 0, 1},
		{"ece", e.ECE, 0, 1},
		{"accuracy", e.Accuracy, 0, 1},
		{"loss", e.Loss, -math.MaxFloat64, math.MaxFloat64},
		{"nll", e.NLL, 0, math.MaxFloat64},
		{"brier", e.Brier, 0, 2}, // summed over the classes it reaches 2
	}
	for _, m := range metrics {
		if !within(m.value, m.low, m.top) {
			return invalid("seed %d, epoch %d: %s is %v; allowed: %v to %v", e.Seed, e.Epoch, m.name, m.value, m.low, m.top)
		}
	}
	if e.AUROC != nil && !within(*e.AUROC, 0, 1) {
		return invalid("seed %d, epoch %d: auroc is %v; allowed: 0 to 1, or none", e.Seed, e.Epoch, *e.AUROC)
	}
	return nil
}

// checkBaseline checks what stage C compares a fold with.
func checkBaseline(stage protocol.Stage, b *protocol.Baseline) error {
	switch {
	case stage != protocol.StageC && b != nil:
		return invalid("the outcome has a baseline in stage %s; allowed: in stage C", stage)
	case stage == protocol.StageC && b == nil:
		return invalid("the outcome has no baseline; stage C compares every fold with one")
	case b != nil && !within(b.MajorityF1Macro, 0, 1):
		return invalid("baseline majority_f1_macro is %v; allowed: 0 to 1", b.MajorityF1Macro)
	case b != nil && !within(b.UntrainedF1Macro, 0, 1):
		return invalid("baseline untrained_f1_macro is %v; allowed: 0 to 1", b.UntrainedF1Macro)
	}
	return nil
}

// within reports whether low ≤ x ≤ top, up to rounding. NaN and the infinities are not.
func within(x, low, top float64) bool {
	return x >= low-slack && x <= top+slack && !math.IsInf(x, 0)
}
