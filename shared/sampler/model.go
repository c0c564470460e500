package sampler

import (
	"math"
	"slices"

	"github.com/supermax-hpo/supermax/shared/space"
)

// A model is what TPE learned from a history: densities of the good trials and of the rest
// for each group of parameters. It follows the history from suggestion to suggestion; what
// it holds depends on the history alone, not on the way there.
type model struct {
	changed []int32       // the trials set since the last update
	learned []learned     // by trial
	actives []parameterID // by parameter
	best    []int32       // the good trials, best first where there is one objective
	good    []int32       // the good trials by age
	weights []float64     // of the good trials
	byPlace rankWeights
	groups  []*group
	sorter  sorter
}

// learned is what the model knows of a trial.
type learned struct {
	point    space.Point
	part     part
	finished bool
}

// part says which density a trial belongs to.
type part int8

const (
	neither  part = iota // it failed
	goodPart             // it is one of the best
	restPart             // it is not, or runs
)

// parameterID tells in which finished trials a parameter was active: how many they are and
// the sum of their numbers' hashes. Parameters with equal ones form a group.
type parameterID struct{ trials, sum uint64 }

// learn brings the model up to date with the history, n of whose trials count as good.
func (h *History) learn(n int) *model {
	m := h.model
	if m == nil {
		m = &model{actives: make([]parameterID, len(h.layout.params))}
		for i := range h.trials {
			m.changed = append(m.changed, int32(i))
		}
		h.model = m
	}
	if len(m.changed) == 0 {
		return m
	}
	best := h.best(n, bestSubset)
	good := slices.Sorted(slices.Values(best))
	touched := slices.Concat(m.changed, m.good, good)
	slices.Sort(touched)
	touched = slices.Compact(touched)
	m.learned = append(m.learned, make([]learned, len(h.trials)-len(m.learned))...)
	before := make([]learned, len(touched))
	for i, t := range touched {
		before[i] = m.learned[t]
		_, isGood := slices.BinarySearch(good, t)
		m.note(t, &h.trials[t], isGood)
	}
	m.best, m.good, m.changed = best, good, m.changed[:0]
	m.weigh(len(h.problem.Directions), h.running)

	parts := m.parts(&h.layout)
	same := slices.EqualFunc(m.groups, parts, func(g *group, index []int) bool { return slices.Equal(g.index, index) })
	// One trial after the other is more work than all at once when many changed.
	if same && len(touched) <= 64+len(h.trials)/8 {
		for _, g := range m.groups {
			g.update(m, touched, before)
		}
		return m
	}
	m.groups = nil
	for _, index := range parts {
		m.groups = append(m.groups, m.newGroup(&h.layout, index))
	}
	return m
}

// bestSubset chooses among trials with several objectives: whole fronts, then of the first
// that does not fit the points that cover the most hypervolume. Ozaki et al.,
// "Multiobjective tree-structured Parzen estimator" (2022).
func bestSubset(values [][]float64, dirs []Direction, limit int) []int {
	if limit == len(values) {
		return HypervolumeSubset(values, dirs, limit)
	}
	var fronts [][]int
	for i, rank := range NonDominatedRanks(values, dirs) {
		for rank >= len(fronts) {
			fronts = append(fronts, nil)
		}
		fronts[rank] = append(fronts[rank], i)
	}
	var best []int
	for _, front := range fronts {
		left := limit - len(best)
		if len(front) <= left {
			best = append(best, front...)
			continue
		}
		values := rowsOf(values, front)
		for _, i := range HypervolumeSubset(values, dirs, left) {
			best = append(best, front[i])
		}
		break
	}
	return best
}

func rowsOf(values [][]float64, indices []int) [][]float64 {
	rows := make([][]float64, len(indices))
	for j, i := range indices {
		rows[j] = values[i]
	}
	return rows
}

// weigh sets the weights of the good trials, which are equal where there are several objectives.
func (m *model) weigh(objectives, running int) {
	var byPlace []float64
	if objectives == 1 {
		byPlace = m.byPlace.of(len(m.best), running)
	} else {
		byPlace = slices.Repeat([]float64{1}, len(m.best))
	}
	m.weights = slices.Grow(m.weights[:0], len(m.good))[:len(m.good)]
	for place, t := range m.best {
		i, _ := slices.BinarySearch(m.good, t)
		m.weights[i] = byPlace[place]
	}
}

// rankWeights are the weights of good trials, the best one's first, for the numbers of trials
// that they were last asked for.
type rankWeights struct {
	running int
	weights []float64
}

// of returns the weights of n good trials. They fall towards 0 the more steeply the more trials
// are running, as more is then drawn from what the same trials tell. They add up to n, so that
// the prior has the share that it has among equals.
func (r *rankWeights) of(n, running int) []float64 {
	if len(r.weights) == n && r.running == running {
		return r.weights
	}
	weights, sum := make([]float64, n), 0.0
	for place := range weights {
		weights[place] = math.Pow(1-float64(place)/float64(n), 2+float64(running)/4)
		sum += weights[place]
	}
	for place := range weights {
		weights[place] *= float64(n) / sum
	}
	r.running, r.weights = running, weights
	return weights
}

// note puts down what is known of a trial now.
func (m *model) note(trial int32, o *Observation, good bool) {
	was := m.learned[trial]
	now := learned{point: o.Point, part: restPart, finished: o.finished()}
	switch {
	case o.State == Failed:
		now.part = neither
	case good:
		now.part = goodPart
	}
	m.learned[trial] = now
	for i := range m.actives {
		id := &m.actives[i]
		if was.finished && !math.IsNaN(was.point[i]) {
			id.trials, id.sum = id.trials-1, id.sum-mix(uint64(trial))
		}
		if now.finished && !math.IsNaN(now.point[i]) {
			id.trials, id.sum = id.trials+1, id.sum+mix(uint64(trial))
		}
	}
}

// parts returns the parameters of each group.
func (m *model) parts(l *layout) [][]int {
	var parts [][]int
	for i, id := range m.actives {
		if !l.free(i) || id.trials == 0 {
			continue
		}
		g := slices.IndexFunc(parts, func(index []int) bool { return m.actives[index[0]] == id })
		if g < 0 {
			g = len(parts)
			parts = append(parts, nil)
		}
		parts[g] = append(parts[g], i)
	}
	return parts
}
