package study

import (
	"math"
	"strings"

	"gonum.org/v1/gonum/mat"

	"github.com/supermax-hpo/supermax/shared/sampler"
	"github.com/supermax-hpo/supermax/shared/space"
)

// costParams are the parameters that an epoch's seconds are predicted from: the backbone,
// the length of a text and how many of them a step takes.
var costParams = [...]string{"model.name", "tok.max_length", "train.batch_size"}

// costRidge is what keeps the least squares solvable while few trials are known: so little
// of a weight's square is added to the squared errors that it counts for no more than a
// hundredth of a trial.
const costRidge = 0.01

// costModel predicts the seconds that one seed's epoch takes at a point of the space: their
// logarithm is linear in the logarithms of numbers and has an offset for each choice of
// another kind, as seconds are about a product of what a token, a row and a step take.
type costModel struct {
	space    *space.Space
	features []costFeature
	means    []float64 // of the features
	weights  []float64
	mean     float64 // of the logarithm of the seconds
}

// costFeature is one number made of a point: a parameter's logarithm, or 1 where it has a
// choice.
type costFeature struct {
	param  int
	choice float64 // NaN: the logarithm
}

// costFeatures returns the features that a space has, none if it has none of [costParams].
func costFeatures(s *space.Space) []costFeature {
	var features []costFeature
	for _, name := range costParams {
		for i := range s.Params {
			p := &s.Params[i]
			switch {
			case p.Name != name:
			case p.Kind == space.Categorical && !positive(p.Choices):
				for c := range p.Choices {
					features = append(features, costFeature{i, float64(c)})
				}
			case p.Kind == space.Categorical || p.Low > 0:
				features = append(features, costFeature{i, math.NaN()})
			}
		}
	}
	return features
}

func positive(choices []space.Value) bool {
	for _, c := range choices {
		if x, ok := c.AsFloat(); !ok || x <= 0 {
			return false
		}
	}
	return true
}

// of returns the feature at a point; 0 where its parameter is off.
func (f costFeature) of(s *space.Space, point space.Point) float64 {
	x := point[f.param]
	switch {
	case math.IsNaN(x):
		return 0
	case !math.IsNaN(f.choice):
		if x == f.choice {
			return 1
		}
		return 0
	}
	if p := &s.Params[f.param]; p.Kind == space.Categorical {
		x, _ = p.Choices[int(x)].AsFloat()
	}
	return math.Log(x)
}

// learnCost fits a model to what the trials' reports took, by least squares in the order of
// the trials, so that the same trials give the same model. ok is false as long as no trial
// has told a cost.
func (s *State) learnCost() (m costModel, ok bool) {
	m = costModel{space: s.settings.Space, features: costFeatures(s.settings.Space)}
	k := len(m.features)
	var rows, seconds []float64
	m.means = make([]float64, k)
	for _, t := range s.trials.All() {
		y, told := t.logSecondsPerEpoch()
		if !told {
			continue
		}
		seconds = append(seconds, y)
		m.mean += y
		for j, f := range m.features {
			x := f.of(m.space, t.point)
			rows = append(rows, x)
			m.means[j] += x
		}
	}
	n := len(seconds)
	if n == 0 || k == 0 {
		return m, false
	}
	m.mean /= float64(n)
	for j := range m.means {
		m.means[j] /= float64(n)
	}
	squares, products := mat.NewSymDense(k, nil), mat.NewVecDense(k, nil)
	for i, y := range seconds {
		row := rows[i*k : (i+1)*k]
		for j := range row {
			row[j] -= m.means[j]
			products.SetVec(j, products.AtVec(j)+row[j]*(y-m.mean))
		}
		squares.SymRankOne(squares, 1, mat.NewVecDense(k, row))
	}
	for j := range k {
		squares.SetSym(j, j, squares.At(j, j)+costRidge)
	}
	var factors mat.Cholesky
	weights := mat.NewVecDense(k, nil)
	if !factors.Factorize(squares) || factors.SolveVecTo(weights, products) != nil {
		return m, false
	}
	m.weights = weights.RawVector().Data
	return m, true
}

// seconds predicts what one seed's epoch takes at a point.
func (m costModel) seconds(point space.Point) float64 {
	y := m.mean
	for j, f := range m.features {
		y += m.weights[j] * (f.of(m.space, point) - m.means[j])
	}
	return math.Exp(min(max(y, -700), 700)) // a positive number whatever the model says
}

// logSecondsPerEpoch returns the logarithm of the seconds that one seed's epoch took, over
// all of the trial's reports.
func (t *Trial) logSecondsPerEpoch() (float64, bool) {
	epochs, seconds := 0, 0.0
	for rung, r := range t.Reports {
		epochs += t.Epochs(rung)
		seconds += r.CostSeconds
	}
	if epochs == 0 || seconds <= 0 {
		return 0, false
	}
	return math.Log(seconds / float64(epochs)), true
}

func (s SearchStage) validateCostWeight(name string, sp *space.Space, bad func(field string, value any, allowed string)) {
	switch w := s.CostWeight; {
	case w == 0:
	case !(w > 0) || math.IsInf(w, 0):
		bad(name+".cost_weight", w, "a number from 0")
	case s.Sampler != sampler.NameTPE:
		bad(name+".cost_weight", w, "0 with any other sampler than "+sampler.NameTPE)
	case sp != nil && len(costFeatures(sp)) == 0:
		bad(name+".cost_weight", w, "0 in a space with none of "+strings.Join(costParams[:], ", ")+", which cost is learnt by")
	}
}
