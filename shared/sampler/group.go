package sampler

import (
	"math"
	"slices"

	"github.com/supermax-hpo/supermax/shared/space"
)

// A group is a set of free parameters that were active in the same finished trials, with the
// densities of the good ones and of the rest where all of them were active.
type group struct {
	index      []int // into the space's parameters
	dims       []dimension
	good, rest *parzen

	// Memory for [group.choose].
	candidates []candidate
	order      []int // of the candidates
}

// newGroup makes a group of what the model knows of the trials.
func (m *model) newGroup(l *layout, index []int) *group {
	g := &group{index: index}
	for _, i := range index {
		g.dims = append(g.dims, l.dims[i])
	}
	var rest []int32
	for t := range m.learned {
		if g.part(&m.learned[t]) == restPart {
			rest = append(rest, int32(t))
		}
	}
	g.good, g.rest = newParzen(g.dims, goodParzen), newParzen(g.dims, defaultParzen)
	g.fill(m, g.rest, rest, rest)
	g.fillGood(m)
	return g
}

// part returns which of the group's densities a trial belongs to.
func (g *group) part(t *learned) part {
	if t.part != neither && slices.ContainsFunc(g.index, func(i int) bool { return math.IsNaN(t.point[i]) }) {
		return neither
	}
	return t.part
}

// goodParzen lets the good trials' kernels be half as wide as the others': what they are for
// is to be drawn from. docs/design.md has what it does.
var goodParzen = parzenConfig{priorWeight: 1, magicClip: true, fineness: 2}

// fillGood makes the density of the good trials, which are few.
func (g *group) fillGood(m *model) {
	var trials, components []int32
	for _, t := range m.good {
		if g.part(&m.learned[t]) == goodPart {
			trials, components = append(trials, t), append(components, int32(len(components)))
		}
	}
	g.weighGood(m)
	g.fill(m, g.good, components, trials)
}

// weighGood gives the good trials their weights.
func (g *group) weighGood(m *model) {
	g.good.given = make([]float64, 0, len(m.good)) // not nil: age does not count
	for i, t := range m.good {
		if g.part(&m.learned[t]) == goodPart {
			g.good.given = append(g.good.given, m.weights[i])
		}
	}
}

// fill puts the trials into a density as its components.
func (g *group) fill(m *model, p *parzen, components, trials []int32) {
	x := make([]float64, len(trials))
	p.fill(components, func(d int) []float64 {
		for i, t := range trials {
			x[i] = m.learned[t].point[g.index[d]]
		}
		return x
	}, &m.sorter)
}

// update follows the trials that the model learned anew; before is what it knew of them.
func (g *group) update(m *model, trials []int32, before []learned) {
	goodChanged := false
	for i, t := range trials {
		now := &m.learned[t]
		from, to := g.part(&before[i]), g.part(now)
		if from == to && (to == neither || samePoint(before[i].point, now.point)) {
			continue
		}
		goodChanged = goodChanged || from == goodPart || to == goodPart
		if from == restPart {
			g.rest.remove(t)
		}
		if to == restPart {
			g.rest.insert(t, func(d int) float64 { return now.point[g.index[d]] })
		}
	}
	g.rest.settle()
	if goodChanged {
		g.fillGood(m)
	} else {
		g.weighGood(m)
		g.good.settle()
	}
}

// samePoint reports whether two points are the same, at once if they share their memory.
func samePoint(a, b space.Point) bool { return &a[0] == &b[0] || a.Equal(b) }
