package simulate

import (
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/space"
	"github.com/supermax-hpo/supermax/shared/study"
)

// trial is what the world knows of a trial that was started: how it trains, and what its
// checkpoints hold.
type trial struct {
	curve  Curve
	chance dice
	fold   int
	seeds  []study.SeedBest // after the last report
	saved  int              // epochs of the present rung that lie in checkpoints
	value  *study.Value     // as last reported
	failed bool
}

// chanceOf returns the dice of a configuration: what happens to it by chance is the same in
// every trial that has it, as a training repeated with the same seed is.
func (w *world) chanceOf(a space.Assignment) dice {
	return dice(w.options.Seed).forParams(w.options.Settings.Space, a)
}

func newTrial(curve Curve, chance dice, work *protocol.Work) *trial {
	t := &trial{curve: curve, chance: chance}
	if work.Fold != nil {
		t.fold = *work.Fold
	}
	for _, seed := range work.Seeds {
		t.seeds = append(t.seeds, study.SeedBest{Seed: seed})
	}
	return t
}

// reported keeps what an attempt told.
func (t *trial) reported(a *attempt) {
	t.seeds, t.saved = a.seeds, 0
	v := meanOf(t.seeds)
	t.value = &v
}

func meanOf(seeds []study.SeedBest) study.Value {
	var v study.Value
	for _, b := range seeds {
		v.F1Macro += b.F1Macro / float64(len(seeds))
		v.ECE += b.ECE / float64(len(seeds))
	}
	return v
}

// train goes through the epochs that the seeds still lack up to an epoch, one seed after
// the other, and calls each with their number and what they measure, until it returns
// false. It returns the seeds as they are then.
func (t *trial) train(to, patience int, each func(n int, seed int64, epoch int, e Epoch) bool) []study.SeedBest {
	seeds, n := append([]study.SeedBest(nil), t.seeds...), 0
	for i := range seeds {
		b := &seeds[i]
		chance := t.chance.of(uint64(b.Seed)).of(uint64(t.fold))
		for epoch := b.Last + 1; epoch <= to && !b.Stopped(patience); epoch++ {
			e := t.curve.at(chance, epoch)
			if !each(n, b.Seed, epoch, e) {
				return seeds
			}
			*b = b.Seen(epoch, e.F1Macro, e.ECE)
			n++
		}
	}
	return seeds
}

// inFull returns what the trial would measure and take if no scheduler stopped it.
func (t *trial) inFull(epochs, patience int) (value study.Value, normal float64) {
	whole := *t
	whole.seeds = make([]study.SeedBest, len(t.seeds))
	for i := range whole.seeds {
		whole.seeds[i].Seed = t.seeds[i].Seed
	}
	seeds := whole.train(epochs, patience, func(_ int, _ int64, _ int, e Epoch) bool {
		normal += e.Seconds
		return true
	})
	return meanOf(seeds), normal
}
