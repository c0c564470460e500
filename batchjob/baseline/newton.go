package baseline

import (
	"errors"
	"math"
)

// An objective is the penalised loss of a logistic regression as a function of the weights
// and, last, the bias. It is strictly convex but for the bias, and convex in all.
type objective struct {
	rows     []Vector
	features int
	sign     []float64 // −1 for label 0, 1 for label 1
	weight   []float64 // c times the label's weight
}

// tolerance bounds the greatest gradient component, relative to the rows' total weight.
const tolerance = 1e-7

// minimize is Newton's method; each step solves the Newton equation by conjugate gradients
// to a forcing tolerance and backtracks to Armijo's condition (Nocedal and Wright,
// Numerical Optimization, algorithm 7.1).
func (f *objective) minimize() ([]float64, error) {
	x := make([]float64, f.features+1)
	value, grad, curvature := f.at(x)
	total := 0.0
	for _, w := range f.weight {
		total += w
	}
	for range 200 {
		size := norm(grad)
		if size <= tolerance*total {
			return x, nil
		}
		step := f.solve(grad, curvature, min(0.1, math.Sqrt(size/total))*math.Sqrt(dot(grad, grad)))
		slope := dot(grad, step)
		next := make([]float64, len(x))
		for rate := 1.0; ; rate /= 2 {
			if rate < 1e-12 {
				return nil, errors.New("no step lowers the loss any further")
			}
			for i := range x {
				next[i] = x[i] + rate*step[i]
			}
			v, g, h := f.at(next)
			// Rounding hides a fall of the loss near its minimum; the gradient still shows it.
			if v <= value+1e-4*rate*slope || math.Abs(v-value) <= 1e-12*math.Abs(value) && norm(g) < size {
				x, value, grad, curvature = next, v, g, h
				break
			}
		}
	}
	return nil, errors.New("no convergence in 200 Newton steps")
}

// at returns the loss, its gradient, and each row's second derivative in its score.
func (f *objective) at(x []float64) (value float64, grad, curvature []float64) {
	m := Logistic{x[:f.features], x[f.features]}
	grad = make([]float64, len(x))
	copy(grad, m.Weights)
	curvature = make([]float64, len(f.rows))
	for _, w := range m.Weights {
		value += w * w / 2
	}
	for i, row := range f.rows {
		margin := f.sign[i] * m.score(row)
		value += f.weight[i] * softplus(-margin)
		p := sigmoid(-margin)
		curvature[i] = f.weight[i] * p * (1 - p)
		f.addRow(grad, row, -f.sign[i]*f.weight[i]*p)
	}
	return value, grad, curvature
}

// solve returns d with H·d ≈ −grad, to a residual of the given Euclidean norm.
func (f *objective) solve(grad, curvature []float64, residual float64) []float64 {
	d := make([]float64, len(grad))
	r := make([]float64, len(grad))
	for i, g := range grad {
		r[i] = -g
	}
	p := append([]float64(nil), r...)
	square := dot(r, r)
	for range 2 * len(grad) {
		if math.Sqrt(square) <= residual {
			break
		}
		hp := f.hessian(curvature, p)
		rate := square / dot(p, hp)
		for i := range d {
			d[i] += rate * p[i]
			r[i] -= rate * hp[i]
		}
		next := dot(r, r)
		for i := range p {
			p[i] = r[i] + next/square*p[i]
		}
		square = next
	}
	return d
}

// hessian returns H·v. A trace of curvature in the bias keeps H positive definite when all
// rows are fitted to the last digit.
func (f *objective) hessian(curvature, v []float64) []float64 {
	out := append([]float64(nil), v...)
	out[f.features] *= 1e-12
	for i, row := range f.rows {
		z := v[f.features]
		for k, j := range row.Index {
			z += row.Value[k] * v[j]
		}
		f.addRow(out, row, curvature[i]*z)
	}
	return out
}

// addRow adds scale times the row, extended by the bias's 1.
func (f *objective) addRow(to []float64, row Vector, scale float64) {
	for k, j := range row.Index {
		to[j] += scale * row.Value[k]
	}
	to[f.features] += scale
}

func norm(v []float64) float64 {
	greatest := 0.0
	for _, e := range v {
		greatest = max(greatest, math.Abs(e))
	}
	return greatest
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i, e := range a {
		sum += e * b[i]
	}
	return sum
}

// softplus is ln(1 + e^z) without overflow.
func softplus(z float64) float64 { return max(z, 0) + math.Log1p(math.Exp(-math.Abs(z))) }
