package sampler

// buckets is how finely a [histogram] looks.
const buckets = 64

// A histogram counts a dimension's components in equal parts of it, to tell where there are many.
type histogram struct {
	members [buckets]int32
	below   [buckets + 1]int32 // how many are in the buckets before
	changed bool               // since below was set
}

func (h *histogram) add(bucket int, n int32) {
	h.members[bucket] += n
	h.changed = true
}

// settle sets what [histogram.count] needs after a series of changes.
func (h *histogram) settle() {
	if !h.changed {
		return
	}
	h.changed = false
	for b, n := range h.members {
		h.below[b+1] = h.below[b] + n
	}
}

// count returns how many are in the buckets from first to last.
func (h *histogram) count(first, last int) int32 { return h.below[last+1] - h.below[first] }
