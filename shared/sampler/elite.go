package sampler

// elite returns the places of the best limit finished trials: what [History.best] returns
// with [Best]. It keeps the fronts of each standing up to date instead of sorting all trials
// at every ask, always for the same limit.
func (h *History) elite(limit int) []int32 {
	best := make([]int32, 0, limit)
	h.ranked()
	for i := range h.standings {
		s, left := &h.standings[i], limit-len(best)
		switch {
		case left == 0:
			return best
		case s.infeasible || len(h.problem.Directions) == 1:
			best = append(best, s.trials[:min(left, len(s.trials))]...)
			continue
		case s.fronts == nil || s.fronts.short():
			s.fronts = newFronts(limit, h.entries(s.trials))
		}
		best = append(best, s.fronts.best(left)...)
	}
	return best
}

// entries returns finished trials as their fronts see them.
func (h *History) entries(trials []int32) []entry {
	values := make([][]float64, len(trials))
	for i, trial := range trials {
		values[i] = h.trials[trial].Values
	}
	entries := make([]entry, len(trials))
	for i, losses := range asLosses(values, h.problem.Directions) {
		entries[i] = entry{trials[i], values[i], losses}
	}
	return entries
}
