package sampler

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/supermax-hpo/supermax/shared/space"
)

// A History is what is known of a problem's trials, indexed for the samplers: built once,
// then kept up to date. The order in which trials are set carries no meaning. It is not
// for concurrent use.
type History struct {
	problem  Problem
	layout   layout
	trials   []Observation  // by number
	points   map[uint64]int // how many trials lie at the points of that hash
	finished int            // how many trials are
	running  int            // how many trials are

	// What samplers worked out and [History.Set] keeps up to date; nil: to be worked out anew.
	standings standings
	model     *model
}

// NewHistory returns the history of a problem without trials.
func NewHistory(p Problem) (*History, error) {
	if p.Space == nil || len(p.Directions) == 0 {
		return nil, errors.New("the problem needs a space and at least one objective")
	}
	return &History{problem: p, layout: newLayout(p.Space), points: make(map[uint64]int)}, nil
}

// Len returns how many trials are known, failed ones included.
func (h *History) Len() int { return len(h.trials) }

// Set adds a trial or replaces what was known of the one with its number. It keeps the
// observation's slices, which must not be changed afterwards. An observation that is not
// possible is refused and changes nothing.
func (h *History) Set(o Observation) error {
	if err := h.check(&o); err != nil {
		return err
	}
	i := sort.Search(len(h.trials), func(i int) bool { return h.trials[i].Number >= o.Number })
	switch {
	case i < len(h.trials) && h.trials[i].Number == o.Number:
		h.unset(int32(i))
		h.trials[i] = o
	case i == len(h.trials):
		h.trials = append(h.trials, o)
	default:
		// Trials come by rising number but in tests: what counts places starts again.
		h.trials = slices.Insert(h.trials, i, o)
		h.standings, h.model = nil, nil
	}
	h.points[hash(o.Point)]++
	h.count(&o, 1)
	h.rank(int32(i))
	if h.model != nil {
		h.model.changed = append(h.model.changed, int32(i))
	}
	return nil
}

// unset takes back what follows from a trial that will be replaced.
func (h *History) unset(trial int32) {
	h.unrank(trial)
	o := &h.trials[trial]
	h.count(o, -1)
	key := hash(o.Point)
	if h.points[key]--; h.points[key] == 0 {
		delete(h.points, key)
	}
}

// count adds the trial to the counts, or takes it out of them with n = -1.
func (h *History) count(o *Observation, n int) {
	if o.finished() {
		h.finished += n
	}
	if o.State == Running {
		h.running += n
	}
}

// check returns what is wrong with an observation.
func (h *History) check(o *Observation) error {
	if o.Number < 0 {
		return fmt.Errorf("trial %d: allowed are numbers from 0", o.Number)
	}
	if err := h.problem.Space.CheckPoint(o.Point); err != nil {
		return fmt.Errorf("trial %d: %w", o.Number, err)
	}
	objectives := len(h.problem.Directions)
	if n := len(o.Values); n != objectives && (n > 0 || o.finished()) {
		return fmt.Errorf("%s trial %d has %d values for %d objectives", o.State, o.Number, n, objectives)
	}
	for _, v := range o.Values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("trial %d has the value %v, which is not finite", o.Number, v)
		}
	}
	if !(o.Violation >= 0) || math.IsInf(o.Violation, 1) {
		return fmt.Errorf("trial %d breaks its constraints by %v: allowed is a finite number from 0", o.Number, o.Violation)
	}
	return nil
}

// contains reports whether a trial lies at the point. That it is wrong, because of two
// points with one hash, has a probability of 2⁻⁶⁴ and costs but another draw.
func (h *History) contains(point space.Point) bool { return h.points[hash(point)] > 0 }

func hash(point space.Point) uint64 {
	key := uint64(len(point))
	for _, x := range point {
		bits := math.Float64bits(x + 0) // -0 is 0
		if math.IsNaN(x) {
			bits = 1
		}
		key = mix(key ^ bits)
	}
	return key
}

// mix is Steele, Lea and Flood's SplitMix64 (2014).
func mix(key uint64) uint64 {
	key += 0x9e3779b97f4a7c15
	key = (key ^ key>>30) * 0xbf58476d1ce4e5b9
	key = (key ^ key>>27) * 0x94d049bb133111eb
	return key ^ key>>31
}
