package sampler

import (
	"errors"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"strings"

	"github.com/supermax-hpo/supermax/shared/space"
)

// ErrExhausted says that every configuration of the grid is a trial.
var ErrExhausted = errors.New("every configuration of the grid was tried")

// Grid goes through every configuration of a space once, in an order that spreads over the
// space from its first trials on; Seed says where it begins. Suggest draws nothing. It returns
// [ErrExhausted] when no configuration is left, and the error of [GridSize].
type Grid struct {
	Seed uint64
}

// Suggest implements [Sampler].
func (g Grid) Suggest(h *History, _ *rand.Rand) (space.Assignment, error) {
	t, err := newTree(&h.layout)
	if err != nil {
		return nil, err
	}
	// Position n is the next one if all trials came from here. Others, enqueued ones for
	// example, made it skip some positions, which come up when the count starts over.
	stride := coprime(t.size)
	position := uint64(h.Len()) % t.size
	for range t.size {
		if point := t.point(weyl(position, stride, mix(g.Seed), t.size)); !h.contains(point) {
			return h.problem.Space.Assignment(point), nil
		}
		position = (position + 1) % t.size
	}
	return nil, ErrExhausted
}

// GridSize returns how many configurations a space has, the highest uint64 if there are as
// many or more. A parameter without a step that can be switched on has no end of values: the
// error names all such.
func GridSize(s *space.Space) (uint64, error) {
	l := newLayout(s)
	t, err := newTree(&l)
	if err != nil {
		return 0, err
	}
	return t.size, nil
}

// weyl maps position to offset + position·stride modulo n, which is a permutation of the
// numbers below n if stride and n have no common divisor. With a stride of n over the golden
// ratio the first positions, however many, lie far apart: Weyl's sequence.
func weyl(position, stride, offset, n uint64) uint64 {
	high, low := bits.Mul64(position, stride)
	low, carry := bits.Add64(low, offset, 0)
	return bits.Rem64(high+carry, low, n)
}

// coprime returns about n over the golden ratio: the next number from there that has no
// divisor in common with n.
func coprime(n uint64) uint64 {
	const golden = 0.6180339887498949
	k := uint64(float64(n) * golden)
	for gcd(k, n) > 1 {
		k++
	}
	return k
}

func gcd(a, b uint64) uint64 {
	for b > 0 {
		a, b = b, a%b
	}
	return a
}

// endless returns the error for parameters that have no grid.
func endless(names []string) error {
	return fmt.Errorf("sampler %q needs a step for %s: without one a number has no end of values", NameGrid, strings.Join(names, ", "))
}
