package study

import (
	"math"
	"testing"

	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/space"
)

// costSpace has all that cost is learnt by, a batch size of numbers that are choices among it.
func costSpace() *space.Space {
	return &space.Space{Params: []space.Param{
		{Name: "optim.lr", Kind: space.FloatRange, Low: 1e-6, High: 1e-2, Log: true},
		{Name: "model.name", Kind: space.Categorical, Choices: []space.Value{space.String("tiny"), space.String("base"), space.String("never")}},
		{Name: "tok.max_length", Kind: space.IntRange, Low: 128, High: 512, Step: 64},
		{Name: "train.batch_size", Kind: space.Categorical, Choices: []space.Value{space.Int(8), space.Int(16), space.Int(32)}},
	}}
}

// costOf is what an epoch takes: base has 6 times what tiny takes, it grows with the length
// and falls with the root of the batch size.
func costOf(p space.Point) float64 {
	seconds := 0.01 * p[2] / math.Sqrt([]float64{8, 16, 32}[int(p[3])])
	if p[1] == 1 {
		seconds *= 6
	}
	return seconds
}

// costStudy has so many trials with reports of two seeds that took what costOf says.
func costStudy(t *testing.T, trials int) *simulation {
	settings := testSettings()
	settings.Space = costSpace()
	settings.A = SearchStage{Trials: 1000, Rungs: Rungs{2, 6, 3}, Seeds: []int64{1, 2}, Sampler: "tpe", CostWeight: 1}
	m := newSimulation(t, settings)
	m.take([]Event{{Type: EventStageOpened, Stage: protocol.StageA, At: m.now, Limit: 1000}}, nil)
	for n := range trials {
		point := space.Point{1e-4, float64(n % 2), float64(128 + 64*(n%7)), float64(n % 3)}
		at := clean(m.now)
		value := Value{F1Macro: 0.5, ECE: 0.1}
		m.take([]Event{
			{Type: EventTrialCreated, Stage: "A", At: at, Trial: n, Params: settings.Space.Assignment(point)},
			{Type: EventLeased, At: at, Trial: n, Slot: "s", Token: int64(n) + 1, LeaseUntil: m.state.leaseUntil(m.now)},
			{Type: EventReported, At: at, Trial: n, Value: &value, CostSeconds: 4 * costOf(point),
				Seeds: []SeedBest{{Seed: 1, Last: 2, Epoch: 1}, {Seed: 2, Last: 2, Epoch: 1}}},
		}, nil)
	}
	return m
}

// What follows the model's form is predicted where no trial was, to the hundredth that the
// ridge leaves.
func TestCostIsLearnt(t *testing.T) {
	m := costStudy(t, 60)
	cost, ok := m.state.learnCost()
	if !ok {
		t.Fatal("nothing was learnt")
	}
	for _, p := range []space.Point{{1e-3, 0, 128, 2}, {1e-3, 1, 512, 0}, {1e-3, 1, 512, 2}, {1e-3, 0, 320, 1}} {
		if got, want := cost.seconds(p), costOf(p); math.Abs(got/want-1) > 0.01 {
			t.Errorf("at %v: %.4f seconds, want %.4f", p, got, want)
		}
	}
	// A backbone that no trial had is taken for the mean of the others' logarithms.
	mean := math.Sqrt(costOf(space.Point{1e-3, 0, 256, 1}) * costOf(space.Point{1e-3, 1, 256, 1}))
	if got := cost.seconds(space.Point{1e-3, 2, 256, 1}); math.Abs(got/mean-1) > 0.02 {
		t.Errorf("of an unknown backbone: %.4f seconds, want about %.4f", got, mean)
	}
}

// Without a report there is nothing to learn, and an ask goes on without; a trial that told
// no cost is left out.
func TestCostIsUnknown(t *testing.T) {
	m := costStudy(t, 0)
	if _, ok := m.state.learnCost(); ok {
		t.Error("a cost was learnt of nothing")
	}
	reply, _, err := m.state.Ask(m.now, protocol.AskRequest{Study: "s", Stage: "A", Slot: "x", Token: 1})
	if err != nil || reply.Work == nil {
		t.Errorf("ask: %+v, %v", reply, err)
	}
	free := Trial{Reports: []Report{{ToEpoch: 2}}, Seeds: []SeedBest{{Seed: 1, Last: 2}}}
	if y, ok := free.logSecondsPerEpoch(); ok {
		t.Errorf("a trial without cost takes exp(%v) seconds", y)
	}
}

// The weight is off by default; with it the sampler suggests cheaper configurations where
// all are as good.
func TestCostWeightFavoursTheCheap(t *testing.T) {
	mean := func(weight float64) float64 {
		m := costStudy(t, 60)
		m.state.plans[0].costWeight = weight
		sum := 0.0
		const asks = 20
		for n := range asks {
			params, err := m.state.suggest(0, 1000+n)
			if err != nil {
				t.Fatal(err)
			}
			point, err := m.state.settings.Space.Point(params)
			if err != nil {
				t.Fatal(err)
			}
			sum += math.Log(costOf(point)) / asks
		}
		return math.Exp(sum)
	}
	if off, on := mean(0), mean(1); on > 0.8*off {
		t.Errorf("with the weight %.3f seconds an epoch, without %.3f: want four fifths at most", on, off)
	}
}

func TestCostFeatures(t *testing.T) {
	s := costSpace()
	s.Params[3].Choices = []space.Value{space.String("8"), space.String("16")}
	s.Params[2] = space.Param{Name: "tok.max_length", Kind: space.IntRange, Low: 0, High: 4}
	if got := len(costFeatures(s)); got != 3+2 { // the backbones and the batches; a length of 0 has no logarithm
		t.Errorf("%d features, want 5", got)
	}
	off := space.Point{1e-4, math.NaN(), 0, 0}
	for _, f := range costFeatures(s)[:3] {
		if x := f.of(s, off); x != 0 {
			t.Errorf("feature %+v is %v while its parameter is off", f, x)
		}
	}
}
