package simulate

import (
	"math"
	"testing"

	"github.com/supermax-hpo/supermax/shared/space"
)

// TestCurvesHaveTheShapeOfFineTuning averages a curve over many seeds, so that its scatter
// is gone: flat, then rising towards the top, ECE falling and then rising again.
func TestCurvesHaveTheShapeOfFineTuning(t *testing.T) {
	c := FineTuning{}.Curve(space.Assignment{})
	const seeds, epochs = 2000, 30
	var f1, ece, late [epochs + 1]float64
	for seed := range seeds {
		for epoch := 1; epoch <= epochs; epoch++ {
			e := c.at(dice(7).of(uint64(seed)), epoch)
			f1[epoch] += e.F1Macro / seeds
			ece[epoch] += e.ECE / seeds
			late[epoch] += e.F1Macro * e.F1Macro / seeds
		}
	}
	for epoch := 2; epoch <= 12; epoch++ {
		if f1[epoch] <= f1[epoch-1] {
			t.Errorf("F1-macro falls to %v in epoch %d", f1[epoch], epoch)
		}
	}
	if math.Abs(f1[epochs]-c.Top) > 0.002 || f1[1] > c.Floor+0.1 {
		t.Errorf("F1-macro goes from %v to %v, want about %v to %v", f1[1], f1[epochs], c.Floor, c.Top)
	}
	if !(ece[1] > ece[6] && ece[epochs] > ece[10]) {
		t.Errorf("ECE goes %v, %v, %v, %v at the epochs 1, 6, 10 and %d", ece[1], ece[6], ece[10], ece[epochs], epochs)
	}
	// At epoch 30 the scatter of seeds and epochs is what the constants say.
	want := math.Hypot(seedNoise, f1LateNoise+f1EarlyNoise*math.Exp(-epochs/noiseEpochs))
	if sd := math.Sqrt(late[epochs] - f1[epochs]*f1[epochs]); math.Abs(sd-want) > 0.05*want {
		t.Errorf("F1-macro scatters by %v, want %v", sd, want)
	}
}

// TestFineTuningKnowsWhatMatters checks the sign of what the parameters do.
func TestFineTuningKnowsWhatMatters(t *testing.T) {
	with := func(name string, v space.Value) Curve {
		return FineTuning{}.Curve(space.Assignment{"model.name": space.String("bert-base-uncased"), name: v})
	}
	good, low, high := with("optim.lr", space.Float(3e-5)), with("optim.lr", space.Float(1e-6)), with("optim.lr", space.Float(3e-3))
	if low.Top >= good.Top || low.Onset <= good.Onset || good.Diverges || !high.Diverges {
		t.Errorf("learning rates: good %+v, low %+v, high %+v", good, low, high)
	}
	short, long := with("tok.max_length", space.Int(128)), with("tok.max_length", space.Int(512))
	if long.Top <= short.Top || long.Seconds <= 2*short.Seconds || long.MemoryBytes <= short.MemoryBytes {
		t.Errorf("lengths: short %+v, long %+v", short, long)
	}
	if amp := with("train.amp", space.Bool(true)); amp.Seconds >= good.Seconds || amp.Top != good.Top {
		t.Errorf("mixed precision: %+v, want as good as and faster than %+v", amp, good)
	}
	if lean := with("model.gradient_checkpointing", space.Bool(true)); lean.Seconds <= good.Seconds || lean.MemoryBytes >= good.MemoryBytes {
		t.Errorf("checkpointing: %+v, want slower and smaller than %+v", lean, good)
	}
	if smooth := with("reg.label_smoothing", space.Float(0.08)); smooth.ECELow >= good.ECELow || smooth.ECERise >= good.ECERise {
		t.Errorf("label smoothing does not calibrate: %+v, without %+v", smooth, good)
	}
	if lion := with("optim.name", space.String("lion")); lion.Top >= good.Top {
		t.Error("lion wants no lower learning rate than AdamW")
	}
	own, other := with("model.name", space.String("tiny-48")), with("model.name", space.String("tiny-64"))
	if own == other || own == good {
		t.Error("backbones of one's own are all alike")
	}
	if slow := (FineTuning{Seconds: 120}).Curve(space.Assignment{}); math.Abs(slow.Seconds-2*good.Seconds) > 1e-9 {
		t.Errorf("an epoch takes %v seconds at 120, %v at the default", slow.Seconds, good.Seconds)
	}
}

// TestDice checks the draws against what their distributions have: means, a standard
// deviation, and independence of what was drawn before.
func TestDice(t *testing.T) {
	const n = 20000
	var uniform, normal, squares, exponential float64
	for i := range uint64(n) {
		d := dice(3).of(i)
		uniform += d.uniform(drawF1) / n
		x := d.normal(drawF1)
		normal, squares = normal+x/n, squares+x*x/n
		exponential += d.exponential(drawDoom) / n
	}
	if math.Abs(uniform-0.5) > 0.01 || math.Abs(normal) > 0.03 || math.Abs(squares-1) > 0.05 || math.Abs(exponential-1) > 0.03 {
		t.Errorf("means %v, %v, %v, variance %v", uniform, normal, exponential, squares)
	}
	if dice(1).of(2).of(3) == dice(1).of(3).of(2) {
		t.Error("the order of what a draw is for does not matter")
	}
	s := &space.Space{Params: []space.Param{{Name: "a", Kind: space.IntRange, High: 9}, {Name: "b", Kind: space.Categorical, Choices: []space.Value{space.String("x"), space.String("y")}}}}
	at := func(a int, b string) dice {
		return dice(1).forParams(s, space.Assignment{"a": space.Int(a), "b": space.String(b)})
	}
	if at(1, "x") == at(2, "x") || at(1, "x") == at(1, "y") {
		t.Error("configurations share their luck")
	}
}
