package sampler

import "slices"

// A sorter sorts one dimension after the other in the same memory. The zero value is ready.
type sorter struct {
	keys, sorted []uint64 // a value's place between the bounds, then its index
	indices      []int32
}

// order returns the indices of x, which lies between low and high, by rising value, equal
// ones in their order; the answer holds until the next call. A model sorts every dimension,
// so it is a radix sort, by 24 bits of the place between the bounds; the few values that
// these do not tell apart, and all where they are few, are put right by insertion.
func (s *sorter) order(x []float64, low, high float64) []int32 {
	s.keys = slices.Grow(s.keys[:0], len(x))[:len(x)]
	s.indices = slices.Grow(s.indices[:0], len(x))[:len(x)]
	if scale := (1<<24 - 1) / (high - low); len(x) > 32 {
		for i, v := range x {
			s.keys[i] = uint64(uint32((v-low)*scale))<<32 | uint64(i)
		}
		s.radix()
	} else {
		for i := range x {
			s.keys[i] = uint64(i)
		}
	}
	for j, key := range s.keys {
		i := int32(key) // the lower half
		for ; j > 0 && x[s.indices[j-1]] > x[i]; j-- {
			s.indices[j] = s.indices[j-1]
		}
		s.indices[j] = i
	}
	return s.indices
}

// radix sorts the keys by the lowest three bytes of their upper half.
func (s *sorter) radix() {
	s.sorted = slices.Grow(s.sorted[:0], len(s.keys))[:len(s.keys)]
	var counts [3][256]int32
	for _, key := range s.keys {
		for b := range counts {
			counts[b][byte(key>>(32+8*b))]++
		}
	}
	for b := range counts {
		next, shift := int32(0), 32+8*b
		for v, n := range counts[b] {
			counts[b][v] = next
			next += n
		}
		for _, key := range s.keys {
			to := &counts[b][byte(key>>shift)]
			s.sorted[*to] = key
			*to++
		}
		s.keys, s.sorted = s.sorted, s.keys
	}
}
