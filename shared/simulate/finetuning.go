package simulate

import (
	"hash/fnv"
	"math"

	"github.com/supermax-hpo/supermax/shared/space"
)

// FineTuning is the model of fine-tuning a transformer classifier over the space of
// configs/space.yaml, or a part of it. What a parameter does has the sign and the size that
// practice knows: the learning rate matters most and has an optimum that moves with
// optimizer, backbone and batch size; a longer text and a better backbone help and cost
// time; regularisation costs a little F1-macro and buys calibration. The figures are
// plausible, not measured: what is chosen with them is a schedule, never a configuration.
type FineTuning struct {
	// Seconds is what an epoch of one seed takes of bert-base-uncased with 256 tokens and
	// batches of 16, evaluation included; 0: 60.
	Seconds float64
}

const defaultSeconds = 60

// Curve implements [Model]. A parameter that the space does not have is at a usual value.
func (m FineTuning) Curve(params space.Assignment) Curve {
	a := reader(params)
	base := backboneOf(a.word("model.name"))
	size := a.number("train.batch_size", 16)
	batch := size * a.number("train.grad_accum", 1)
	best := math.Log10(3e-5) + base.rate + optimizerRate[a.word("optim.name")] + 0.5*math.Log10(batch/16)
	off := math.Log10(a.number("optim.lr", 3e-5)) - best // powers of ten from the best learning rate

	c := Curve{Floor: 0.42, ECEStart: 0.24, Diverges: off > 1.8}
	c.Top = max(c.Floor, 0.80+base.gain+topOf(a, off)) // what cannot learn keeps predicting one class

	// A low learning rate learns late and slowly; a large batch takes few steps an epoch.
	pace := math.Pow(10, -0.5*min(off, 0.5)) * math.Pow(batch/16, 0.25)
	c.Onset, c.Tau = 0.8*pace, 2.2*pace

	dropout, smoothing := a.number("head.dropout", 0.1), a.number("reg.label_smoothing", 0)
	c.ECELow = 0.06 + 0.03*max(0, off) + 0.25*square(smoothing-0.08) - 0.02*dropout - a.bonus("null.strategy", "calibrated", 0.01)
	c.ECERise = 0.004 * math.Exp(0.6*off) * (1 - 1.5*smoothing) * (1 - dropout)

	length := a.number("tok.max_length", 256)
	c.Seconds = m.Seconds
	if c.Seconds == 0 {
		c.Seconds = defaultSeconds
	}
	c.Seconds *= base.cost * math.Pow(length/256, 1.1) * math.Pow(16/size, 0.2)
	activations := 4e9 * base.cost * (length / 256) * (size / 16)
	if a.flag("train.amp") {
		c.Seconds, activations = 0.6*c.Seconds, 0.6*activations
	}
	if a.flag("model.gradient_checkpointing") {
		c.Seconds, activations = 1.3*c.Seconds, 0.4*activations
	}
	c.MemoryBytes = int64(2e9*base.cost + activations)
	return c
}

// topOf is what the parameters besides the backbone add to the F1-macro that training
// tends to.
func topOf(a reader, off float64) float64 {
	top := -0.07*off*off - 0.03*max(0, off-0.7)
	top -= 0.05 * math.Exp(-(a.number("tok.max_length", 256)-128)/120)
	top -= 0.2*square(a.number("head.dropout", 0.1)-0.15) + 0.4*square(a.number("reg.label_smoothing", 0)-0.05)
	top -= 0.004 * square(math.Log10(a.number("optim.weight_decay", 1e-3))+3)
	top -= 0.5 * square(a.number("sched.warmup_ratio", 0.08)-0.08)
	top -= 0.004 * math.Abs(a.number("head.n_layers", 1)-1)
	top += a.bonus("head.pooling", "mean", 0.006) + a.bonus("head.pooling", "attention", 0.008) + a.bonus("null.strategy", "calibrated", 0.004)
	if a.flag("aug.enabled") {
		top += 0.015 - 2*square(a.number("aug.p_apply", 0.15)-0.15) - 0.004*math.Abs(a.number("aug.ops_per_sample", 1)-1)
	}
	return top
}

// backbone is what sets one apart from bert-base-uncased.
type backbone struct {
	gain float64 // of F1-macro
	cost float64 // of time and memory, as a factor
	rate float64 // of the best learning rate, in powers of ten
}

var backbones = map[string]backbone{
	"bert-base-uncased":                 {0, 1, 0},
	"roberta-base":                      {0.02, 1, -0.1},
	"microsoft/deberta-v3-base":         {0.035, 1.6, -0.2},
	"google/electra-base-discriminator": {0.025, 1, 0.1},
	"albert-base-v2":                    {-0.005, 0.9, -0.1},
	"distilbert-base-uncased":           {-0.015, 0.5, 0.1},
	"YituTech/conv-bert-base":           {0.015, 1.2, 0},
	"xlnet-base-cased":                  {0.01, 1.5, -0.1},
}

// optimizerRate is how far the best learning rate of an optimizer lies from AdamW's, in
// powers of ten.
var optimizerRate = map[string]float64{"adafactor": 0.8, "lion": -0.7, "lamb": 0.9}

// backboneOf returns the backbone of that name. One that is the study's own differs from
// bert-base-uncased in a way that follows from its name; it is taken to be small and to
// start from random weights, which want a higher learning rate.
func backboneOf(name string) backbone {
	if name == "" {
		name = "bert-base-uncased"
	}
	if b, ok := backbones[name]; ok {
		return b
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	own := dice(h.Sum64())
	return backbone{gain: 0.03 * (own.uniform(drawSeed) - 0.5), cost: 0.5 + own.uniform(drawSeconds), rate: 1.5 + 0.4*(own.uniform(drawOnset)-0.5)}
}

// reader reads parameters that a space may lack.
type reader space.Assignment

func (r reader) number(name string, otherwise float64) float64 {
	if x, ok := r[name].AsFloat(); ok {
		return x
	}
	return otherwise
}

func (r reader) word(name string) string {
	w, _ := r[name].AsString()
	return w
}

func (r reader) flag(name string) bool {
	b, _ := r[name].AsBool()
	return b
}

// bonus is worth for a parameter that has that value, and nothing for another.
func (r reader) bonus(name, value string, worth float64) float64 {
	if r.word(name) == value {
		return worth
	}
	return 0
}

func square(x float64) float64 { return x * x }
