package simulate

import (
	"math"

	"github.com/supermax-hpo/supermax/shared/space"
)

// A Model says what training a configuration would measure. It is a pure function and safe
// for concurrent use.
type Model interface {
	Curve(space.Assignment) Curve
}

// A Curve is how a configuration trains. Its shape is that of real fine-tuning, as the
// quickstart's 379 measured epochs show it: the model first predicts one class, from an
// onset on F1-macro rises towards a top, and its scatter from epoch to epoch shrinks as the
// learning rate falls; ECE falls as the model learns and grows again when it is trained
// for too long.
type Curve struct {
	Floor float64 // F1-macro before anything is learnt
	Top   float64 // F1-macro that training tends to
	Onset float64 // epochs until the model begins to learn
	Tau   float64 // epochs in which it then comes nearer to the top by a factor of e

	ECEStart float64 // before anything is learnt
	ECELow   float64 // what learning tends to
	ECERise  float64 // what each epoch of over-training adds

	Seconds     float64 // of a slot for an epoch of one seed, evaluation included
	MemoryBytes int64   // at the most
	Diverges    bool    // the loss becomes NaN in the first epoch
}

// Epoch is what one epoch of one seed measures.
type Epoch struct {
	F1Macro, ECE float64
	Seconds      float64
}

// The scatter of real fine-tuning, as standard deviations, from the same epochs: the curve
// was fitted by least squares to each of the 20 trainings of nine epochs and more. They
// began to learn at once to two epochs late, and came nearer to the top by a factor of e in
// 1.1 to 3.3 epochs (quartiles; median 2.4). Around the fit F1-macro scatters by 0.043 in
// the first four epochs after the onset and by 0.023 from the twelfth epoch on, ECE by 0.06,
// its fall included, and by 0.012, and the logarithm of an epoch's seconds by 0.09. The best
// epochs of two seeds lie 0.014 to 0.031 apart (median 0.025, without a seed that learnt
// nothing), most of it by the scatter of epochs.
const (
	f1EarlyNoise, f1LateNoise   = 0.04, 0.015
	eceEarlyNoise, eceLateNoise = 0.05, 0.008
	noiseEpochs                 = 6 // in which the early scatter falls by a factor of e
	seedNoise                   = 0.01
	onsetNoise                  = 0.25 // of its logarithm
	secondsNoise                = 0.09 // of its logarithm
)

// at returns what an epoch, counted from 1, measures. Chance names the training: its
// configuration, seed and fold.
func (c Curve) at(chance dice, epoch int) Epoch {
	onset := c.Onset * math.Exp(onsetNoise*chance.normal(drawOnset))
	learnt := max(0, float64(epoch)-onset)
	near := 1 - math.Exp(-learnt/c.Tau)
	top := c.Top + seedNoise*chance.normal(drawSeed)
	early := math.Exp(-float64(epoch) / noiseEpochs)
	now := chance.of(uint64(epoch))
	f1, ece := c.Floor, c.ECEStart
	if learnt > 0 { // one class for everything does not scatter
		f1 += (top-c.Floor)*near + (f1LateNoise+f1EarlyNoise*early)*now.normal(drawF1)
	}
	ece += (c.ECELow-c.ECEStart)*near + c.ECERise*max(0, learnt-3*c.Tau) + (eceLateNoise+eceEarlyNoise*early)*now.normal(drawECE)
	return Epoch{
		F1Macro: min(max(f1, 0.01), 0.999),
		ECE:     min(max(ece, 0.002), 0.6),
		Seconds: c.Seconds * math.Exp(secondsNoise*now.normal(drawSeconds)),
	}
}
