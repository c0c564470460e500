package sampler

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/supermax-hpo/supermax/shared/space"
)

// The elite is kept up to date while trials come, go on to higher rungs and fail, in any
// order; it must be what sorting all of them anew gives.
func TestEliteIsTheBest(t *testing.T) {
	line := &space.Space{Params: []space.Param{uniform("x", 0, 1)}}
	rapid.Check(t, func(t *rapid.T) {
		dirs := rapid.SliceOfN(rapid.SampledFrom([]Direction{Maximize, Minimize}), 1, 3).Draw(t, "directions")
		limit := rapid.SampledFrom([]int{1, 3, 8, 20}).Draw(t, "limit")
		few := rapid.Bool().Draw(t, "few values") // for ties, otherwise for large fronts
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		h := historyOf(t, Problem{Space: line, Directions: dirs}, nil)
		numbers := rng.Perm(150)
		for step := range 300 {
			o := Observation{Number: numbers[step%len(numbers)], Point: space.Point{0.5}, State: Paused, Rung: rng.IntN(2)}
			switch rng.IntN(8) {
			case 0:
				o.State = State(rng.IntN(4))
			case 1:
				o.Violation = float64(rng.IntN(3))
			}
			first := rng.Float64()
			for k := range dirs {
				switch {
				case few:
					o.Values = append(o.Values, float64(rng.IntN(6)))
				case k == 1 && dirs[0] == dirs[1]:
					o.Values = append(o.Values, 1-first+rng.Float64()/50)
				case k == 1:
					o.Values = append(o.Values, first+rng.Float64()/50)
				default:
					o.Values = append(o.Values, first)
					first = rng.Float64()
				}
			}
			set(t, h, o)
			if step%3 > 0 {
				continue
			}
			if got, want := h.elite(limit), h.best(limit, Best); !slices.Equal(got, want) {
				t.Fatalf("step %d: the elite is %v, want %v", step, got, want)
			}
		}
	})
}

// The fronts and their ranking by crowding are those that the golden files hold, in whatever
// order the points come.
func TestGoldenFronts(t *testing.T) {
	sets := 0
	for name, file := range readGolden[nsga2File](t, "nsga2*.json") {
		for i, set := range file.Sets {
			sets++
			t.Run(fmt.Sprintf("%s/%d", name, i), func(t *testing.T) {
				s := newFronts(len(set.Kept), nil)
				order := slices.Clone(set.Kept)
				rand.New(rand.NewPCG(uint64(i), 1)).Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
				for _, trial := range order {
					values := floats(set.Values[trial])
					losses := slices.Clone(values)
					for k, d := range set.Directions {
						if d == Maximize.String() {
							losses[k] = -losses[k]
						}
					}
					s.add(entry{int32(trial), values, losses})
				}
				checkGoldenFronts(t, s, set.Fronts, set.Crowding, set.Sorted)
			})
		}
	}
	if sets == 0 {
		t.Fatal("no sets found")
	}
}

func checkGoldenFronts(t *testing.T, s *fronts, want [][]int, crowding map[string]number, sorted [][]int) {
	t.Helper()
	if len(s.list) != len(want) {
		t.Fatalf("%d fronts, want %d", len(s.list), len(want))
	}
	of := func(trial int) float64 { return float64(crowding[strconv.Itoa(trial)]) }
	for k, f := range s.list {
		var trials []int
		for j, place := range f.ranked() {
			trial := int(f.entries[place].trial)
			trials = append(trials, trial)
			if got := f.crowd.distance[place]; !near(got, of(trial), 1e-9) {
				t.Errorf("front %d: trial %d has crowding %v, want %v", k, trial, got, of(trial))
			}
			// Among equal distances the golden order is an accident of its sorts.
			if got, want := of(trial), of(sorted[k][j]); !near(got, want, 1e-9) {
				t.Errorf("front %d: place %d has crowding %v, want %v", k, j, got, want)
			}
		}
		if slices.Sort(trials); !slices.Equal(trials, want[k]) {
			t.Errorf("front %d is %v, want %v", k, trials, want[k])
		}
	}
}
