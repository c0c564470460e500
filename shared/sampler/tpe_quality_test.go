package sampler

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/supermax-hpo/supermax/shared/functions"
)

// bests are the best values that studies reached: by number of trials and seed.
type bests map[string][]float64

// quantile interpolates linearly between the sorted values, as numpy does.
func (b bests) quantile(trials string, q float64) float64 {
	x := slices.Sorted(slices.Values(b[trials]))
	at := q * float64(len(x)-1)
	i := int(at)
	return x[i] + (at-float64(i))*(x[min(i+1, len(x)-1)]-x[i])
}

// raceTPE searches a function with several seeds and so many slots.
func raceTPE(t *testing.T, f functions.Function, slots int, like bests) bests {
	t.Helper()
	reached, last := bests{}, 0
	for text := range like {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		reached[text], last = nil, max(last, n)
	}
	for seed := range uint64(raceSeeds) {
		best := math.Inf(1)
		follow(t, f, TPE{Seed: seed}, slots, last, seed, func(values [][]float64) {
			best = min(best, values[len(values)-1][0])
			if text := strconv.Itoa(len(values)); like[text] != nil {
				reached[text] = append(reached[text], best)
			}
		})
	}
	return reached
}

type bestsFile struct {
	Results map[string]map[string]struct{ Raw bests }
}

// At every number of trials our median is compared with what Optuna's TPE with its default
// settings reached: nowhere worse than its upper quartile, and in four of five cells at
// least as good as its median.
func TestGoldenQualityTPE(t *testing.T) {
	if testing.Short() {
		t.Skip("a hundred searches of two hundred trials")
	}
	for file, content := range readGolden[bestsFile](t, "quality_so_*.json") {
		cells, reached := 0, 0
		for name, samplers := range content.Results {
			f, err := functions.ByName(name)
			peer := samplers["tpe_default"].Raw
			if err != nil || len(peer) == 0 {
				t.Logf("%s: not compared (%v, %d numbers of trials)", name, err, len(peer))
				continue
			}
			ours := raceTPE(t, f, 1, peer)
			for trials := range peer {
				got, want, worst := ours.quantile(trials, 0.5), peer.quantile(trials, 0.5), peer.quantile(trials, 0.75)
				t.Logf("%s, %s trials: %.5g, Optuna %.5g, at worst %.5g", name, trials, got, want, worst)
				cells++
				if got <= want {
					reached++
				}
				if got > worst {
					t.Errorf("%s: %s, %s trials: the median is %.5g, worse than Optuna's upper quartile %.5g", file, name, trials, got, worst)
				}
			}
		}
		if cells == 0 || 5*reached < 4*cells {
			t.Errorf("%s: as good as Optuna in %d of %d cells, want four of five", file, reached, cells)
		}
	}
}

// With 16 and 64 slots the median must be at least as good as Optuna's with as many, as the
// program in testdata measured it: with each number of slots in four of five cells. What
// either loses against its own single slot is logged; ours reaches more with one slot, and
// so has more to lose.
func TestQualityTPEWithManySlots(t *testing.T) {
	if testing.Short() {
		t.Skip("three hundred searches of two hundred trials")
	}
	data, err := os.ReadFile("testdata/tpe_slots_optuna5.json")
	if err != nil {
		t.Fatal(err)
	}
	var parallel bestsFile
	if err := json.Unmarshal(data, &parallel); err != nil {
		t.Fatal(err)
	}
	cells, reached := map[string]int{}, map[string]int{}
	for _, file := range readGolden[bestsFile](t, "quality_so_optuna5.json") {
		for name, bySlots := range parallel.Results {
			f, err := functions.ByName(name)
			if err != nil {
				t.Fatal(err)
			}
			peer := file.Results[name]["tpe_default"].Raw
			ours := raceTPE(t, f, 1, peer)
			for slots, peerSlots := range bySlots {
				n, err := strconv.Atoi(slots)
				if err != nil {
					t.Fatal(err)
				}
				oursSlots := raceTPE(t, f, n, peer)
				for trials := range peer {
					got, want := oursSlots.quantile(trials, 0.5), peerSlots.Raw.quantile(trials, 0.5)
					t.Logf("%s, %s slots, %s trials: %.5g, %.3g more than with one; Optuna %.5g, %.3g more", name, slots, trials,
						got, got-ours.quantile(trials, 0.5), want, want-peer.quantile(trials, 0.5))
					cells[slots]++
					if got <= want {
						reached[slots]++
					}
				}
			}
		}
	}
	for slots, n := range cells {
		if 5*reached[slots] < 4*n {
			t.Errorf("%s slots: as good as Optuna in %d of %d cells, want four of five", slots, reached[slots], n)
		}
	}
	if len(cells) == 0 {
		t.Error("no cells found")
	}
}
