package sampler

import (
	"cmp"
	"slices"
)

// Hypervolume returns the volume that the points dominate up to the reference point
// ref, which is in the objectives' own units: below it for a maximised objective, above
// it for a minimised one. Points that are not strictly better than ref everywhere add
// nothing.
//
// Two objectives by a sweep, more by While, Bradstreet and Barone, "A fast way of
// calculating exact hypervolumes" (2012).
func Hypervolume(values [][]float64, dirs []Direction, ref []float64) float64 {
	limit := asLosses([][]float64{ref}, dirs)[0]
	var inside [][]float64
	for _, row := range asLosses(values, dirs) {
		if strictlyBelow(row, limit) {
			inside = append(inside, row)
		}
	}
	return volume(nonDominated(inside), limit)
}

func strictlyBelow(row, limit []float64) bool {
	for i := range row {
		if !(row[i] < limit[i]) {
			return false
		}
	}
	return true
}

// nonDominated returns the distinct points that no other dominates, sorted.
func nonDominated(points [][]float64) [][]float64 {
	points = slices.Clone(points)
	slices.SortFunc(points, slices.Compare[[]float64])
	var kept [][]float64
	for _, p := range points {
		// With two objectives the last one kept has the least second loss.
		from := 0
		if len(p) == 2 {
			from = max(0, len(kept)-1)
		}
		covered := slices.ContainsFunc(kept[from:], func(k []float64) bool {
			return slices.Equal(k, p) || dominates(k, p)
		})
		if !covered {
			kept = append(kept, p)
		}
	}
	return kept
}

// volume is the hypervolume of non-dominated, sorted points strictly below limit: the
// sum of what each adds to those after it.
func volume(points [][]float64, limit []float64) float64 {
	if len(limit) <= 2 {
		return sweep(points, limit)
	}
	total := 0.0
	for i, p := range points {
		box := 1.0
		for k := range p {
			box *= limit[k] - p[k]
		}
		// The part of p's box that later points cover as well.
		shared := make([][]float64, 0, len(points)-i-1)
		for _, q := range points[i+1:] {
			corner := make([]float64, len(p))
			for k := range p {
				corner[k] = max(p[k], q[k])
			}
			shared = append(shared, corner)
		}
		total += box - volume(nonDominated(shared), limit)
	}
	return total
}

// sweep is the area (or length) that sorted non-dominated points dominate.
func sweep(points [][]float64, limit []float64) float64 {
	if len(limit) == 1 {
		if len(points) == 0 {
			return 0
		}
		best := slices.MinFunc(points, func(a, b []float64) int { return cmp.Compare(a[0], b[0]) })
		return limit[0] - best[0]
	}
	area, ceiling := 0.0, limit[1]
	for _, p := range points {
		area += (limit[0] - p[0]) * (ceiling - p[1])
		ceiling = p[1]
	}
	return area
}
