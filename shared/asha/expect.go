package asha

// A Pass is the training of a bracket's trials from one rung to the next.
type Pass struct {
	From, To int // epochs
	Expected int // trials that are trained in it
	Most     int // trials that can be: all of the bracket
}

// Expected returns what so many trials come to when of n that report a rung ⌊n/Factor⌋ go on,
// as in successive halving. With [KindMedian] and [KindPercentile] as many go on from the
// first look as the percentile says and all of them to the end; in truth fewer do, since
// those that complete, with whom the others are compared, are the better ones.
func (s *Scheduler) Expected(trials int) []Pass {
	all, before := 0, 0
	for _, n := range s.shares {
		all += n
	}
	var passes []Pass
	for b, rungs := range s.brackets {
		most := trials*(before+s.shares[b])/all - trials*before/all
		before += s.shares[b]
		expected := most
		for rung := range rungs {
			from, to := rungs.Span(rung)
			passes = append(passes, Pass{from, to, expected, most})
			switch {
			case !s.o.compares():
				expected /= max(1, s.o.Factor)
			case rung == 0:
				expected = int(float64(most) * s.o.percentile() / 100)
			}
		}
	}
	return passes
}
