package tensor

import (
	"math"

	lib "github.com/sugarme/gotch/libtch"
	"github.com/supermax-hpo/supermax/batchjob/tensor/internal/kernels"
)

// Dropout here is a function of a counter, not a stream of random numbers: whether an
// element is dropped depends on (seed, step, site, row, position, column) alone. So a
// step can be repeated bit by bit, and neither the number of workers, nor threads, nor
// which rows share a batch's tensors changes a mask.

// Randomness is what one training step's dropout depends on.
type Randomness struct {
	Seed, Step uint64
}

// Keys are one 32-bit number a row of a matrix, which tell its elements' masks apart.
type Keys struct {
	narrow T // int32, the kernels' form
	wide   T // int64, the library path's form
}

// Drop is the dropout at one place of the network: p is the probability in [0, 1).
type Drop struct {
	keys Keys
	seed uint32
	p    float64
}

// At returns the dropout of one site, a number that no other place in the network has.
func (r Randomness) At(site uint32, keys Keys, p float64) Drop {
	x := splitMix(r.Seed) ^ r.Step
	return Drop{keys: keys, seed: uint32(splitMix(splitMix(x)^uint64(site)) >> 32), p: p}
}

// splitMix is SplitMix64's output function (Steele, Lea and Flood 2014).
func splitMix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// TokenKey is the key of one token: its row's number in the training step's batch and its
// position in the row.
func TokenKey(row, position int) uint32 {
	return uint32(splitMix(uint64(row)<<32|uint64(uint32(position))) >> 32)
}

// tableRow is a row that no batch has.
const tableRow = 1<<32 - 1

// TableKeys are the dropout keys of a matrix of so many rows that belongs to no row of a batch.
func (s *Scope) TableKeys(rows int) Keys {
	keys := make([]uint32, rows)
	for i := range keys {
		keys[i] = TokenKey(tableRow, i)
	}
	return s.keysOf(keys)
}

// keysOf puts keys on the device in the form that the scope's path needs.
func (s *Scope) keysOf(keys []uint32) Keys {
	if s.path == Kernels {
		return Keys{narrow: s.uint32s(keys)}
	}
	wide := make([]int64, len(keys))
	for i, k := range keys {
		wide[i] = int64(k)
	}
	return Keys{wide: s.Int64s(wide, len(wide))}
}

// Dropout zeroes elements of x [n, columns] with probability d.p and scales the others by
// 1/(1-p).
func (s *Scope) Dropout(x T, d Drop) T {
	switch {
	case d.p == 0:
		return x
	case s.path == Kernels:
		t, err := kernels.Dropout(x.p(), d.kernel())
		return s.result("dropout", t, err)
	}
	shape := x.Shape()
	return s.drop(x, s.mixed(s.xor(d.keys.wide, d.seed)), shape[1], d.p)
}

// drop applies a mask to x [..., columns], given the mixed keys [...] of its rows.
func (s *Scope) drop(x, rows T, columns int, p float64) T {
	counters := make([]int64, columns)
	for j := range counters {
		counters[j] = int64(uint32(j) * 0x9E3779B9)
	}
	shape := append(rows.Shape(), 1)
	elements := s.mixed(s.low32(s.Add(s.Reshape(rows, shape...), s.Int64s(counters, columns))))
	threshold := lib.AtsInt(int64(uint32(p * (1 << 32))))
	defer lib.AtsFree(threshold)
	lib.AtgGe(s.slot(), elements.c, threshold)
	kept := s.take("dropout mask")
	lib.AtgTotype(s.slot(), kept.c, float32Kind)
	kept = s.take("dropout mask")
	return s.Mul(x, s.Scale(kept, float64(float32(1/(1-p)))))
}

// mixed is mix of kernel_loops.h on int64 tensors that hold 32 bits.
func (s *Scope) mixed(x T) T {
	x = s.shiftXor(x, 16)
	x = s.low32(s.mulInt(x, 0x7feb352d))
	x = s.shiftXor(x, 15)
	x = s.low32(s.mulInt(x, 0x846ca68b))
	return s.shiftXor(x, 16)
}

func (s *Scope) shiftXor(x T, bits int64) T {
	n := lib.AtsInt(bits)
	defer lib.AtsFree(n)
	lib.AtgBitwiseRightShiftTensorScalar(s.slot(), x.c, n)
	shifted := s.take("shift")
	lib.AtgBitwiseXorTensor(s.slot(), x.c, shifted.c)
	return s.take("exclusive or")
}

func (s *Scope) xor(x T, value uint32) T {
	n := lib.AtsInt(int64(value))
	defer lib.AtsFree(n)
	lib.AtgBitwiseXor(s.slot(), x.c, n)
	return s.take("exclusive or")
}

func (s *Scope) low32(x T) T {
	n := lib.AtsInt(math.MaxUint32)
	defer lib.AtsFree(n)
	lib.AtgBitwiseAnd(s.slot(), x.c, n)
	return s.take("and")
}

func (s *Scope) mulInt(x T, factor uint32) T {
	n := lib.AtsInt(int64(factor))
	defer lib.AtsFree(n)
	lib.AtgMulScalar(s.slot(), x.c, n)
	return s.take("multiply")
}
