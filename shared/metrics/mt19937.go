package metrics

// RandomState draws as numpy's legacy RandomState does: the 32-bit Mersenne Twister of
// Matsumoto and Nishimura 1998, seeded by Knuth's linear recurrence. Splits use it so
// that a seed means the same rows as in scikit-learn. Not safe for concurrent use.
type RandomState struct {
	key [mtLength]uint32
	pos int
}

const (
	mtLength = 624
	mtShift  = 397
)

// NewRandomState returns the generator of numpy.random.RandomState(seed).
func NewRandomState(seed uint32) *RandomState {
	r := &RandomState{pos: mtLength}
	for i := range r.key {
		r.key[i] = seed
		seed = 1812433253*(seed^seed>>30) + uint32(i) + 1
	}
	return r
}

// Uint32 returns the next 32 bits.
func (r *RandomState) Uint32() uint32 {
	if r.pos == mtLength {
		r.refill()
	}
	y := r.key[r.pos]
	r.pos++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

func (r *RandomState) refill() {
	for i := range r.key {
		y := r.key[i]&0x80000000 | r.key[(i+1)%mtLength]&0x7fffffff
		next := r.key[(i+mtShift)%mtLength] ^ y>>1
		if y&1 != 0 {
			next ^= 0x9908b0df
		}
		r.key[i] = next
	}
	r.pos = 0
}

// below returns a number of 0 to limit, limit included, by masked rejection
// (numpy's random_interval). limit is below 2³².
func (r *RandomState) below(limit uint32) uint32 {
	mask := limit
	for shift := 1; shift < 32; shift *= 2 {
		mask |= mask >> shift
	}
	for {
		if v := r.Uint32() & mask; v <= limit {
			return v
		}
	}
}

// Permutation shuffles 0 to n−1 (Fisher and Yates, from the end), as
// RandomState.permutation(n).
func (r *RandomState) Permutation(n int) []int {
	p := make([]int, n)
	for i := range p {
		p[i] = i
	}
	for i := n - 1; i > 0; i-- {
		j := r.below(uint32(i))
		p[i], p[j] = p[j], p[i]
	}
	return p
}
